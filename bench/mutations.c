/* mutations: the client of bench/mutations.pl, one for kappa and for Redis, so
 * that both are asked at the same cost.
 *
 *     mutations http PORT PATH CLIENTS MILLISECONDS TAG
 *     mutations redis PORT STREAM CLIENTS MILLISECONDS TAG
 *
 * sends one request at a time on each of CLIENTS connections, each with an id
 * of its own (TAG and a number) and a text of 64 bytes: a GraphQL mutation, or
 * an XADD. An answer that is not what success looks like counts as wrong.
 *
 *     mutations one PORT PATH RETURN FILE BYTES TIMES TAG
 *
 * does three things in turn, TIMES each: a mutation to PATH, a request to
 * RETURN, and an append of BYTES to a preallocated file with its fdatasync,
 * and prints their medians as `mutation N request N append N`, in
 * microseconds.
 *
 *     mutations append FILE RECORDS BYTES MILLISECONDS
 *
 * writes batches of RECORDS times BYTES to a preallocated file, each with one
 * fdatasync. The others print
 *
 *     requests N wrong N microseconds N
 *
 * and exit 0 if none was wrong, 1 otherwise, 2 for what can't be tried. */

#define _GNU_SOURCE /* memmem */
#include <stdbool.h>
#include <unistd.h>

#include "base/time.h"
#include "bench/client.h"

#define CLIENTS_MAX 1024
#define TEXT "a text of sixty-four bytes, which is what most small events have"
#define QUERY                                                                 \
    "mutation Add($id: ID!, $text: String!) "                                 \
    "{ add(id: $id, text: $text) { id } }"

typedef struct {
    int fd;
    size_t got;
    char in[4096];
} client_t;

typedef struct {
    bool redis;
    bool once; /* an answer is not followed by a request */
    const char *path;
    const char *tag;
    int epoll;
    uint16_t port;
    uint64_t next;
    uint64_t done;
    uint64_t wrong;
} bench_t;

static int
make_redis(const bench_t *bench, const char *id, char *out, size_t size)
{
    return snprintf(out, size,
        "*7\r\n$4\r\nXADD\r\n$%zu\r\n%s\r\n$1\r\n*\r\n$2\r\nid\r\n"
        "$%zu\r\n%s\r\n$4\r\ntext\r\n$%zu\r\n" TEXT "\r\n",
        strlen(bench->path), bench->path, strlen(id), id, sizeof(TEXT) - 1);
}

static int
make_http(const bench_t *bench, const char *id, char *out, size_t size)
{
    char body[512];
    int len = snprintf(body, sizeof(body),
        "{\"query\":\"" QUERY "\",\"variables\":{\"id\":\"%s\","
        "\"text\":\"" TEXT "\"}}",
        id);
    return snprintf(out, size,
        "POST %s HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
        bench->path, len, body);
}

/* Requests are a few hundred bytes: a socket that is idle takes them whole. */
static void
send_request(bench_t *bench, client_t *c)
{
    char id[64], request[1024];
    snprintf(id, sizeof(id), "%s-%llu", bench->tag,
        (unsigned long long)bench->next++);
    int len = bench->redis ? make_redis(bench, id, request, sizeof(request))
                           : make_http(bench, id, request, sizeof(request));
    c->got = 0;
    if (send(c->fd, request, (size_t)len, MSG_NOSIGNAL) != len) {
        die("send");
    }
}

/* Redis answers with the entry's id: "$15\r\n1700000000000-0\r\n". */
static bool
redis_done(const client_t *c, bool *right)
{
    const char *end = memchr(c->in, '\n', c->got);
    *right = c->in[0] == '$';
    return end
        && (!*right
            || memchr(end + 1, '\n', c->got - (size_t)(end + 1 - c->in)));
}

static bool
http_done(const client_t *c, bool *right)
{
    const char *end = memmem(c->in, c->got, "\r\n\r\n", 4);
    if (!end) {
        return false;
    }
    size_t head = (size_t)(end - c->in) + 4;
    const char *length = memmem(c->in, head, "Content-Length: ", 16);
    size_t body = length ? strtoul(length + 16, NULL, 10) : 0;
    *right = memcmp(c->in, "HTTP/1.1 200", 12) == 0
        && !memmem(c->in, c->got, "\"errors\"", 8);
    return c->got >= head + body;
}

static void
receive(bench_t *bench, client_t *c)
{
    bool right = false;
    ssize_t n = recv(c->fd, c->in + c->got, sizeof(c->in) - c->got, 0);
    if (n < 0 && errno == EAGAIN) {
        return;
    }
    if (n <= 0 || (c->got += (size_t)n) == sizeof(c->in)) {
        die("the server ended a connection");
    }
    if (bench->redis ? redis_done(c, &right) : http_done(c, &right)) {
        bench->done++;
        bench->wrong += !right;
        if (!bench->once) {
            send_request(bench, c);
        }
    }
}

static int
run(bench_t *bench, unsigned long clients, int64_t ms)
{
    struct epoll_event events[64];
    client_t *all = calloc(clients, sizeof(*all));
    bench->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!all) {
        die("memory");
    }
    for (unsigned long i = 0; i < clients; i++) {
        all[i].fd = open_connection(bench->epoll, bench->port, &all[i]);
    }
    int64_t start = kappa_monotonic_us();
    for (unsigned long i = 0; i < clients; i++) {
        send_request(bench, &all[i]);
    }
    while (kappa_monotonic_us() < start + ms * 1000) {
        int n = epoll_wait(bench->epoll, events, 64, 100);
        for (int i = 0; i < n; i++) {
            receive(bench, events[i].data.ptr);
        }
    }
    report(bench->done, bench->wrong, kappa_monotonic_us() - start);
    return bench->wrong ? 1 : 0;
}

/* --- a file alone */

#define FILE_BYTES (64 * 1024 * 1024)

static int
open_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, FILE_BYTES) != 0 || fsync(fd) != 0) {
        die(path);
    }
    return fd;
}

static int
append(const char *path, size_t records, size_t bytes, int64_t ms)
{
    size_t batch = records * bytes, at = 0;
    char *data = malloc(batch ? batch : 1);
    int fd = open_file(path);
    if (!data || batch > FILE_BYTES) {
        die(path);
    }
    memset(data, 'x', batch);
    int64_t start = kappa_monotonic_us(), now = start;
    uint64_t done = 0;
    for (; now < start + ms * 1000; now = kappa_monotonic_us()) {
        at = at + batch > FILE_BYTES ? 0 : at;
        if (pwrite(fd, data, batch, (off_t)at) != (ssize_t)batch
            || fdatasync(fd) != 0) {
            die(path);
        }
        at += batch;
        done += records;
    }
    report(done, 0, now - start);
    close(fd);
    unlink(path);
    return 0;
}

/* --- one of each in turn */

/* Sends what the client would, and waits for the answer. */
static int64_t
ask_once(bench_t *bench, client_t *c)
{
    struct epoll_event event;
    uint64_t done = bench->done;
    int64_t start = kappa_monotonic_us();

    send_request(bench, c);
    while (bench->done == done) {
        if (epoll_wait(bench->epoll, &event, 1, 1000) > 0) {
            receive(bench, c);
        }
    }
    return kappa_monotonic_us() - start;
}

static int64_t
append_once(int fd, size_t bytes, off_t at)
{
    char data[4096];
    int64_t start = kappa_monotonic_us();

    memset(data, 'x', sizeof(data));
    if (pwrite(fd, data, bytes, at) != (ssize_t)bytes || fdatasync(fd) != 0) {
        die("append");
    }
    return kappa_monotonic_us() - start;
}

static int
ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static long long
median(int64_t *us, size_t n)
{
    qsort(us, n, sizeof(*us), ascending);
    return (long long)us[n / 2];
}

static int
one(bench_t *bench, const char *other, const char *file, size_t bytes,
    size_t times)
{
    bench_t plain = *bench;
    static client_t c, d;
    int64_t *us = calloc(3 * times, sizeof(*us));
    int fd = open_file(file);

    plain.path = other;
    bench->epoll = epoll_create1(EPOLL_CLOEXEC);
    plain.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!us || bytes == 0 || bytes > 4096 || times * bytes > FILE_BYTES) {
        die("one");
    }
    bench->once = plain.once = true;
    c.fd = open_connection(bench->epoll, bench->port, &c);
    d.fd = open_connection(plain.epoll, plain.port, &d);
    for (size_t i = 0; i < times; i++) {
        us[i] = ask_once(bench, &c);
        us[times + i] = ask_once(&plain, &d);
        us[2 * times + i] = append_once(fd, bytes, (off_t)(i * bytes));
    }
    unlink(file);
    printf("mutation %lld request %lld append %lld\n", median(us, times),
        median(us + times, times), median(us + 2 * times, times));
    return bench->wrong + plain.wrong ? 1 : 0;
}

int
main(int argc, char **argv)
{
    if (argc == 9 && strcmp(argv[1], "one") == 0) {
        bench_t single = { .port = (uint16_t)strtoul(argv[2], NULL, 10),
            .path = argv[3],
            .tag = argv[8] };
        return one(&single, argv[4], argv[5], strtoul(argv[6], NULL, 10),
            strtoul(argv[7], NULL, 10));
    }
    if (argc == 6 && strcmp(argv[1], "append") == 0) {
        return append(argv[2], strtoul(argv[3], NULL, 10),
            strtoul(argv[4], NULL, 10), strtol(argv[5], NULL, 10));
    }
    unsigned long clients = argc == 7 ? strtoul(argv[4], NULL, 10) : 0;
    if (clients < 1 || clients > CLIENTS_MAX) {
        fputs("usage: mutations http|redis PORT PATH CLIENTS MILLISECONDS TAG"
              "\n       mutations append FILE RECORDS BYTES MILLISECONDS\n",
            stderr);
        return 2;
    }
    bench_t bench = { .redis = strcmp(argv[1], "redis") == 0,
        .port = (uint16_t)strtoul(argv[2], NULL, 10),
        .path = argv[3],
        .tag = argv[6] };
    return run(&bench, clients, strtol(argv[5], NULL, 10));
}
