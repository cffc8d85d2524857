# kappa: build, test, run. `make help` says what there is.

CC ?= gcc
ROOMS := base graphql graphql/validate expr auth log views live proto
SRC := $(wildcard $(addsuffix /*.c,$(ROOMS)))
GEN := build/gen
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
CFLAGS_ALL := -std=gnu11 -fPIC -I. -I$(GEN) $(WARN)
OPT ?= -O2 -g
SAN := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LIBS := -llmdb -ljansson -lprotobuf-c -lcrypto -lm -lpthread

OBJ := $(SRC:%.c=build/obj/%.o)
OBJ_SAN := $(SRC:%.c=build/san/%.o)
UNIT_SRC := $(sort $(shell find t/unit -name '*_test.c' 2>/dev/null))
UNIT_HELPERS := $(patsubst %.c,build/san/%.o,$(wildcard t/unit/*.c))
UNIT := $(UNIT_SRC:t/unit/%_test.c=build/unit/%_test)

.PHONY: lib unit clean
lib: build/libkappa.a

build/libkappa.a: $(OBJ)
	rm -f $@ && ar rcs $@ $^
build/libkappa-san.a: $(OBJ_SAN)
	rm -f $@ && ar rcs $@ $^

build/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(OPT) $(CFLAGS) -MMD -c -o $@ $<
build/san/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) $(SAN) $(CFLAGS) -MMD -c -o $@ $<
build/unit/%_test: build/san/t/unit/%_test.o $(UNIT_HELPERS) build/libkappa-san.a
	@mkdir -p $(@D)
	$(CC) $(SAN) -o $@ $^ -lcmocka $(LIBS)

T ?=
unit: $(if $(T),build/unit/$(T)_test,$(UNIT))
	@set -e; for t in $^; do $$t; done

clean:
	rm -rf build

-include $(OBJ:.o=.d) $(OBJ_SAN:.o=.d)
