# kappa: build, test, run. `make help` says what there is.

ifneq ($(words $(CURDIR)),1)
$(error kappa: make can't build where a directory has a space in its name: \
	move the clone out of "$(CURDIR)")
endif
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
ROOMS := base graphql graphql/validate expr auth log views live proto
SRC := $(wildcard $(addsuffix /*.c,$(ROOMS)))
CLI_SRC := $(wildcard cli/*.c)
MODULE_SRC := $(wildcard ngx_kappa_module/*.c)
HEADERS := $(wildcard $(addsuffix /*.h,$(ROOMS) cli ngx_kappa_module))
FUZZ_SRC := $(wildcard t/fuzz/*_fuzz.c)
PROTO := $(wildcard proto/kappa/v1/*.proto)

GEN := build/gen
GEN_SRC := $(GEN)/graphql/kappa_sdl.c $(PROTO:%.proto=$(GEN)/%.pb-c.c)
GEN_HEADERS := $(PROTO:%.proto=$(GEN)/%.pb-c.h)

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla
CFLAGS_ALL := -std=gnu11 -fPIC -I. -I$(GEN) $(WARN)
# What protoc-c writes is not ours to mend.
GEN_CFLAGS := -std=gnu11 -fPIC -I. -I$(GEN) -w
OPT ?= -O2 -g
SAN_FLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
FUZZ := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -DKAPPA_FUZZ
LIBS := -ljwt -lwslay -llmdb -ljansson -lprotobuf-c -lcrypto -lm -lpthread

OBJ := $(SRC:%.c=build/obj/%.o) $(GEN_SRC:$(GEN)/%.c=build/obj/gen/%.o)
OBJ_SAN := $(SRC:%.c=build/san/%.o) $(GEN_SRC:$(GEN)/%.c=build/san/gen/%.o)
OBJ_FUZZ := $(SRC:%.c=build/fuzz/%.o) $(GEN_SRC:$(GEN)/%.c=build/fuzz/gen/%.o)
OBJ_CLI := $(CLI_SRC:%.c=build/obj/%.o)
OBJ_CLI_SAN := $(CLI_SRC:%.c=build/san/%.o)
UNIT_SRC := $(sort $(shell find t/unit -name '*_test.c' 2>/dev/null))
UNIT_HELPERS := $(patsubst %.c,build/san/%.o,$(wildcard t/unit/*.c))
UNIT := $(UNIT_SRC:t/unit/%_test.c=build/unit/%_test)
FUZZERS := $(FUZZ_SRC:t/fuzz/%_fuzz.c=%)
TESTS := $(sort $(wildcard t/*.t))
PEERS := bench/peers/node_modules/.package-lock.json
BENCHES := $(patsubst bench/%.c,build/bench/%,$(wildcard bench/*.c))
BATCHES := build/batch build/execute_batch build/faults.so
NPM_DIRS := node differential relay

MODULE := $(if $(MODULE_SRC),build/ngx_http_kappa_module.so)
MODULE_SAN := build/san/ngx_http_kappa_module.so
COMMAND := $(if $(CLI_SRC),build/kappa)

# Sub-makes use all processors unless the caller said how many.
JOBS := $(if $(findstring j,$(filter-out --%,$(MAKEFLAGS))),,-j$(shell nproc))
SUBMAKE = $(MAKE) $(if $(V),,-s) $(JOBS) --no-print-directory

# make V=1 shows whole commands.
say = $(if $(V),,@echo '  $(1)' $@ &&)

PREFIX ?= /usr/local
MODULES_DIR ?= /usr/lib/nginx/modules
PORT ?= 8080
APP ?= catalogue
SECONDS ?= 60
FUZZ_SECONDS ?= 300
T ?=
SAN ?=

.PHONY: all lib cli module help
all: deps
	@$(SUBMAKE) lib cli module
lib: build/libkappa.a
cli: $(COMMAND)
module: $(MODULE)

help:
	@cat tools/help.txt

# --- what the build needs from Debian

.PHONY: deps deps-test deps-demo deps-lint deps-fuzz deps-bench
deps:
	@tools/deps.sh build
deps-test deps-demo deps-lint deps-fuzz deps-bench: deps-%:
	@tools/deps.sh build $*

# --- libkappa, and the same with sanitizers

build/libkappa.a: $(OBJ)
	$(call say,AR) rm -f $@ && ar rcs $@ $^
build/libkappa-san.a: $(OBJ_SAN)
	$(call say,AR) rm -f $@ && ar rcs $@ $^

$(GEN)/graphql/kappa_sdl.c: graphql/kappa.graphql tools/embed.sh
	@mkdir -p $(@D)
	@tools/embed.sh kappa_graphql_sdl graphql/kappa_sdl.h $< > $@.tmp
	@mv $@.tmp $@
$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h &: %.proto
	@mkdir -p $(@D)
	$(call say,PROTOC) protoc-c --c_out=$(GEN) $< 2> build/protoc.log \
		|| { cat build/protoc.log >&2; exit 1; }

$(OBJ) $(OBJ_SAN) $(OBJ_FUZZ) $(OBJ_CLI) $(OBJ_CLI_SAN): | $(GEN_HEADERS)

build/obj/gen/%.o: $(GEN)/%.c
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(GEN_CFLAGS) $(OPT) $(CFLAGS) -MMD -MP -c -o $@ $<
build/san/gen/%.o: $(GEN)/%.c
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(GEN_CFLAGS) $(SAN_FLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
build/fuzz/gen/%.o: $(GEN)/%.c
	@mkdir -p $(@D)
	$(call say,CC) $(CLANG) $(GEN_CFLAGS) $(FUZZ) -fsanitize=fuzzer-no-link $(CFLAGS) -MMD -MP -c -o $@ $<
build/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(CFLAGS_ALL) $(OPT) $(CFLAGS) -MMD -MP -c -o $@ $<
build/san/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(CFLAGS_ALL) $(SAN_FLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
build/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC) $(CLANG) $(CFLAGS_ALL) $(FUZZ) -fsanitize=fuzzer-no-link $(CFLAGS) \
		-MMD -MP -c -o $@ $<

# --- the command

build/kappa: $(OBJ_CLI) build/libkappa.a
	$(call say,LD) $(CC) $(OPT) -o $@ $^ $(LDFLAGS) $(LIBS)
build/kappa-san: $(OBJ_CLI_SAN) build/libkappa-san.a
	$(call say,LD) $(CC) $(SAN_FLAGS) -o $@ $^ $(LDFLAGS) $(LIBS)

# What t/differential drives: many cases in one process.
build/batch: build/obj/t/differential/batch.o build/obj/cli/input.o \
		build/libkappa.a
	$(call say,LD) $(CC) $(OPT) -o $@ $^ $(LDFLAGS) $(LIBS)

build/execute_batch: build/san/t/differential/execute_batch.o \
		build/san/t/unit/graphql_fake.o build/san/t/unit/graphql_run.o \
		build/libkappa-san.a
	$(call say,LD) $(CC) $(SAN_FLAGS) -o $@ $^ $(LDFLAGS) $(LIBS)

# A disk that fails, by LD_PRELOAD.
build/faults.so: t/lib/faults.c
	@mkdir -p $(@D)
	$(call say,CC) $(CC) -std=gnu11 -O1 -g -fPIC -shared $(WARN) \
		-Wno-missing-prototypes -o $@ $< -ldl

# --- the module, against Debian's nginx (tools/nginx.sh)

# Anew when nginx was installed, upgraded or removed meanwhile.
NGINX_GONE := $(shell [ ! -f build/nginx.env ] || { . ./build/nginx.env \
	&& [ -x "$$NGINX" ]; } || echo FORCE)
build/nginx.env: tools/nginx.sh $(NGINX_GONE) $(wildcard \
		/var/lib/dpkg/info/nginx.list /var/lib/dpkg/info/nginx-dev.list)
	$(call say,NGINX) tools/nginx.sh prepare
build/module.sources: FORCE
	@mkdir -p $(@D)
	@echo '$(MODULE_SRC)' | cmp -s - $@ || echo '$(MODULE_SRC)' > $@
build/nginx/objs/Makefile: config build/nginx.env build/module.sources \
		| build/libkappa.a
	$(call say,CONF) tools/nginx.sh configure build/nginx/objs
build/nginx/san/Makefile: config build/nginx.env build/module.sources \
		| build/libkappa-san.a
	$(call say,CONF) KAPPA_LIB=$(CURDIR)/build/libkappa-san.a \
		CFLAGS='-fsanitize=address,undefined -fno-omit-frame-pointer' \
		LDFLAGS='-fsanitize=address,undefined' \
		tools/nginx.sh configure build/nginx/san

# nginx's own Makefile knows no dependency on our headers and libkappa.
define build_module
	@rm -f $(1)/*.so
	@$(if $(filter %.h,$?),rm -f $(1)/addon/*/*.o)
	+$(call say,LD) $(MAKE) $(if $(V),,-s) --no-print-directory \
		-C build/nginx/src -f $(CURDIR)/$(1)/Makefile modules
	@cp $(1)/ngx_http_kappa_module.so $@.tmp && mv $@.tmp $@
endef
build/ngx_http_kappa_module.so: build/nginx/objs/Makefile build/libkappa.a \
		$(MODULE_SRC) $(HEADERS)
	$(call build_module,build/nginx/objs)
build/san/ngx_http_kappa_module.so: build/nginx/san/Makefile \
		build/libkappa-san.a $(MODULE_SRC) $(HEADERS)
	$(call build_module,build/nginx/san)

.PHONY: FORCE
FORCE:
# Nothing is built twice for having been deleted meanwhile.
.SECONDARY: $(GEN_SRC) $(GEN_HEADERS)
.PRECIOUS: build/obj/%.o build/san/%.o build/fuzz/%.o

# --- GraphiQL, the files that kappa_graphiql serves

.PHONY: graphiql
graphiql: build/graphiql/index.html
build/graphiql/index.html: $(wildcard ngx_kappa_module/graphiql/*.*) \
		examples/clients/resume.mjs tools/graphiql.sh
	$(call say,NPM) tools/graphiql.sh

# --- tests

build/unit/%_test: build/san/t/unit/%_test.o $(UNIT_HELPERS) \
		build/libkappa-san.a
	@mkdir -p $(@D)
	$(call say,LD) $(CC) $(SAN_FLAGS) -o $@ $^ -lcmocka $(LIBS)

.PHONY: unit npm test test-run prove check
npm: $(NPM_DIRS:%=t/%/node_modules/.package-lock.json)
t/%/node_modules/.package-lock.json: t/%/package-lock.json
	$(call say,NPM) tools/npm.sh t/$*
	@touch $@

unit: $(if $(T),build/unit/$(T)_test,$(UNIT))
	@set -e; for t in $^; do $$t; done

# promtool checks what /metrics says.
build/promtool: tools/promtool.sh
	$(call say,PROMTOOL) tools/promtool.sh $@

# All tests and one summary. The last line is `N passed, N failed`.
test: deps-test
	@$(SUBMAKE) npm graphiql lib cli module $(BATCHES) $(UNIT) build/promtool
	@$(MAKE) --no-print-directory test-run
test-run:
	@tools/test.sh $(UNIT) $(TESTS)
# The tests against a real nginx alone, or one of them: make prove T=static.
# SAN=1: with a module and a command that have ASan and UBSan.
prove: npm graphiql lib cli module $(BATCHES) build/promtool $(if $(SAN),$(MODULE_SAN) build/kappa-san)
	@KAPPA_TEST_SAN=$(SAN) tools/test.sh $(if $(T),t/$(T).t,$(TESTS))

# What could go on for ever, at length; then each fuzzer for FUZZ_SECONDS.
# T=torture: that test alone. T=fuzz: the fuzzers alone.
.PHONY: torture torture-run torture-fuzz
torture: $(if $(filter fuzz,$(T)),,torture-run) $(if $(filter-out fuzz,$(T)),,torture-fuzz)
torture-run: deps-test
	@$(SUBMAKE) npm graphiql lib cli module $(BATCHES) build/promtool \
		$(if $(T),$(if $(wildcard t/$(T).t),,build/unit/$(T)_test),$(UNIT))
	@tools/torture.sh $(T)
torture-fuzz: $(if $(filter fuzz,$(T)),,torture-run)
	@set -e; for t in $(FUZZERS); do $(MAKE) --no-print-directory \
		fuzz T=$$t SECONDS=$(FUZZ_SECONDS); done

check: lint test
	@set -e; for t in $(FUZZERS); do \
		$(MAKE) --no-print-directory fuzz T=$$t SECONDS=30; done

# --- fuzzing: make fuzz T=parser SECONDS=60

build/libkappa-fuzz.a: $(OBJ_FUZZ)
	$(call say,AR) rm -f $@ && ar rcs $@ $^
build/fuzz/%_fuzz: build/fuzz/t/fuzz/%_fuzz.o build/libkappa-fuzz.a
	$(call say,LD) $(CLANG) $(FUZZ) -fsanitize=fuzzer -o $@ \
		$(filter %.o,$^) $(filter %.a,$^) $(LIBS)
build/fuzz/expr_fuzz: build/fuzz/t/unit/expr_world.o
build/fuzz/request_fuzz: build/fuzz/t/unit/graphql_fake.o \
		build/fuzz/t/unit/graphql_run.o

.PHONY: fuzz
fuzz: deps-fuzz
	@if [ -z "$(T)" ] || [ ! -f t/fuzz/$(T)_fuzz.c ]; then \
		echo "usage: make fuzz T=NAME [SECONDS=60]; NAME: $(FUZZERS)" >&2; \
		exit 2; fi
	@$(SUBMAKE) build/fuzz/$(T)_fuzz
	@tools/fuzz.sh $(T) $(SECONDS)

# --- looks

.PHONY: lint format
lint: deps-lint
	@$(SUBMAKE) lib cli module
	@tools/lint.sh
format: deps-lint
	@git ls-files '*.c' '*.h' | xargs clang-format -i

# --- bench, demo, install

.PHONY: bench demo demo-stop install clean
# Each bench/NAME.pl is one bench (make bench T=NAME), each bench/NAME.c a
# program that they run.
bench: deps-demo deps-bench
	@$(SUBMAKE) $(PEERS) lib cli module $(BENCHES)
	@tools/bench.sh $(T)
$(PEERS): bench/peers/package-lock.json
	$(call say,NPM) tools/npm.sh bench/peers
	@touch $@
build/bench/%: bench/%.c build/libkappa.a
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(CFLAGS_ALL) $(OPT) -o $@ $< build/libkappa.a \
	    $(LDFLAGS) $(LIBS)
build/bench/load build/bench/mutations: bench/client.h

# The port first: it would be a pity to learn of it after the build.
demo:
	@APP='$(APP)' tools/demo.sh check-port $(PORT)
	@tools/deps.sh build demo
	@$(SUBMAKE) lib cli module
	@APP='$(APP)' tools/demo.sh start $(PORT)
demo-stop:
	@APP='$(APP)' tools/demo.sh stop

install:
	@test -f build/ngx_http_kappa_module.so || { echo "run make first" >&2; \
		exit 1; }
	install -d $(DESTDIR)$(MODULES_DIR) $(DESTDIR)$(PREFIX)/bin \
		$(DESTDIR)$(PREFIX)/share/kappa $(DESTDIR)/etc/kappa \
		$(DESTDIR)/var/lib/kappa
	install -m 644 build/ngx_http_kappa_module.so $(DESTDIR)$(MODULES_DIR)
	install -m 755 build/kappa $(DESTDIR)$(PREFIX)/bin
	install -m 644 graphql/kappa.graphql $(DESTDIR)$(PREFIX)/share/kappa
	@if [ ! -d build/graphiql ]; then \
		echo "kappa: without GraphiQL (make graphiql builds it)"; else \
		set -x; install -d $(DESTDIR)$(MODULES_DIR)/graphiql && \
		install -m 644 build/graphiql/* $(DESTDIR)$(MODULES_DIR)/graphiql; \
	fi

clean:
	rm -rf build

-include $(OBJ:.o=.d) $(OBJ_SAN:.o=.d) $(OBJ_FUZZ:.o=.d)
-include $(OBJ_CLI:.o=.d) $(OBJ_CLI_SAN:.o=.d)
-include $(UNIT_HELPERS:.o=.d) $(UNIT_SRC:%.c=build/san/%.d)
-include $(FUZZ_SRC:%.c=build/fuzz/%.d)
