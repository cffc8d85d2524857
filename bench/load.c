/* load: a steady HTTP/1.1 client for `make bench`.
 *
 *     load PORT PATH BODIES CONNECTIONS MILLISECONDS [HEADER [REQUESTS]]
 *
 * Sends POSTs whose bodies are the lines of the file BODIES, in turn, over
 * CONNECTIONS keep-alive connections to 127.0.0.1, one request at a time on
 * each, with HEADER (`Name: value`) beside the usual ones, until the time is
 * over or REQUESTS were answered. Eight # in a body become the request's
 * number, so that no two are the same. The first answer to a body is what
 * every later one must be; one that differs, is no 200 or holds "errors"
 * counts as wrong. Prints
 *
 *     requests N wrong N microseconds N
 *
 * and exits 0 if none was wrong, 1 otherwise, 2 for a wrong call or when the
 * server is not there. */

#define _GNU_SOURCE /* memmem */
#include <stdbool.h>
#include <unistd.h>

#include "base/time.h"
#include "bench/client.h"

#define REQUESTS_MAX 65536
#define CONNECTIONS_MAX 4096
#define ANSWER_MAX (256 * 1024)
#define NUMBER "########"
#define NUMBER_CHARS (sizeof(NUMBER) - 1)

/* One body, as the bytes to send; and what came back the first time. */
typedef struct {
    char *bytes;
    size_t len;
    char *number; /* where it goes; NULL: nowhere */
    char *answer; /* body alone; NULL: not yet seen */
    size_t answer_len;
} request_t;

typedef struct {
    int fd;
    uint32_t request; /* which one is under way */
    size_t got;
    char in[ANSWER_MAX];
} connection_t;

typedef struct {
    int epoll;
    uint16_t port;
    const char *header; /* a line of its own, or "" */
    request_t requests[REQUESTS_MAX];
    uint32_t request_count;
    uint32_t next;
    uint64_t done;
    uint64_t wrong;
    uint64_t limit; /* no more than so many are sent */
    uint64_t sent;
} load_t;

static void
add_request(load_t *load, const char *path, const char *body, size_t len)
{
    request_t *request = &load->requests[load->request_count++];
    size_t cap = len + strlen(path) + strlen(load->header) + 256;
    request->bytes = malloc(cap);
    if (!request->bytes) {
        die("memory");
    }
    int head = snprintf(request->bytes, cap,
        "POST %s HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/json\r\nAccept: application/json\r\n"
        "Content-Length: %zu%s%s\r\n\r\n",
        path, len, load->header[0] ? "\r\n" : "", load->header);
    memcpy(request->bytes + head, body, len);
    request->len = (size_t)head + len;
    request->number = memmem(request->bytes + head, len, NUMBER, NUMBER_CHARS);
}

static void
read_bodies(load_t *load, const char *path, const char *file)
{
    FILE *in = fopen(file, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    if (!in) {
        die(file);
    }
    while (load->request_count < REQUESTS_MAX
        && (n = getline(&line, &cap, in)) > 0) {
        if (line[n - 1] == '\n') {
            n--;
        }
        add_request(load, path, line, (size_t)n);
    }
    free(line);
    fclose(in);
    if (load->request_count == 0) {
        fprintf(stderr, "load: %s has no bodies\n", file);
        exit(2);
    }
}

static void
write_number(char *at, uint64_t n)
{
    for (size_t i = NUMBER_CHARS; i > 0; n /= 10) {
        at[--i] = (char)('0' + n % 10);
    }
}

/* Requests are a few hundred bytes: a socket that is idle takes them whole. */
static void
send_request(load_t *load, connection_t *c)
{
    if (load->sent == load->limit) {
        return;
    }
    load->sent++;
    c->request = load->next++ % load->request_count;
    c->got = 0;
    const request_t *request = &load->requests[c->request];
    if (request->number) {
        write_number(request->number, load->sent);
    }
    if (send(c->fd, request->bytes, request->len, MSG_NOSIGNAL)
        != (ssize_t)request->len) {
        die("send");
    }
}

static bool
content_length(const char *head, size_t len, size_t *length)
{
    static const char name[] = "\nContent-Length: ";
    const char *end = head + len - sizeof(name);

    for (const char *p = head; p < end; p++) {
        if (strncasecmp(p, name, sizeof(name) - 1) == 0) {
            *length = strtoul(p + sizeof(name) - 1, NULL, 10);
            return true;
        }
    }
    return false;
}

/* The answer in c->in: 0 if it is not whole, else its length; *body is where
 * its body starts. */
static size_t
answer_length(const connection_t *c, size_t *body)
{
    const char *end = memmem(c->in, c->got, "\r\n\r\n", 4);
    if (!end) {
        return 0;
    }
    *body = (size_t)(end - c->in) + 4;
    size_t length = 0;
    if (content_length(c->in, *body, &length)) {
        return *body + length <= c->got ? *body + length : 0;
    }
    /* Chunked: whole when the last chunk is there. */
    return c->got >= *body + 5
            && memcmp(c->in + c->got - 5, "0\r\n\r\n", 5) == 0
        ? c->got
        : 0;
}

static bool
right(request_t *request, const connection_t *c, size_t body)
{
    size_t len = c->got - body;
    if (memcmp(c->in, "HTTP/1.1 200", 12) != 0
        || memmem(c->in + body, len, "\"errors\"", 8)) {
        return false;
    }
    if (!request->answer) {
        request->answer = malloc(len + 1);
        if (!request->answer) {
            die("memory");
        }
        memcpy(request->answer, c->in + body, len);
        request->answer_len = len;
    }
    return len == request->answer_len
        && memcmp(request->answer, c->in + body, len) == 0;
}

/* Reads what is there; true when the answer is whole and has been counted. */
static bool
receive(load_t *load, connection_t *c)
{
    size_t body = 0;
    ssize_t n = recv(c->fd, c->in + c->got, sizeof(c->in) - c->got, 0);
    if (n <= 0) {
        if (n < 0 && errno == EAGAIN) {
            return false;
        }
        load->wrong++; /* closed on us: keep-alive was asked for */
        load->done++;
        close(c->fd);
        c->fd = open_connection(load->epoll, load->port, c);
        return true;
    }
    c->got += (size_t)n;
    size_t length = answer_length(c, &body);
    if (!length && c->got < sizeof(c->in)) {
        return false;
    }
    load->done++;
    if (length != c->got || !right(&load->requests[c->request], c, body)) {
        load->wrong++;
    }
    return true;
}

static void
run(load_t *load, int64_t until_us)
{
    struct epoll_event events[64];
    while (load->done < load->limit && kappa_monotonic_us() < until_us) {
        int n = epoll_wait(load->epoll, events, 64, 100);
        for (int i = 0; i < n; i++) {
            connection_t *c = events[i].data.ptr;
            if (receive(load, c)) {
                send_request(load, c);
            }
        }
    }
}

int
main(int argc, char **argv)
{
    static load_t load;
    if (argc < 6 || argc > 8) {
        fputs("usage: load PORT PATH BODIES CONNECTIONS MILLISECONDS "
              "[HEADER [REQUESTS]]\n",
            stderr);
        return 2;
    }
    unsigned long count = strtoul(argv[4], NULL, 10);
    if (count < 1 || count > CONNECTIONS_MAX) {
        fputs("load: CONNECTIONS is from 1 to 4096\n", stderr);
        return 2;
    }
    load.limit = argc == 8 ? strtoull(argv[7], NULL, 10) : UINT64_MAX;
    load.port = (uint16_t)strtoul(argv[1], NULL, 10);
    load.header = argc > 6 ? argv[6] : "";
    read_bodies(&load, argv[2], argv[3]);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    connection_t *connections = calloc(count, sizeof(*connections));
    if (!connections) {
        die("memory");
    }
    for (unsigned long i = 0; i < count; i++) {
        connections[i].fd =
            open_connection(load.epoll, load.port, &connections[i]);
    }
    int64_t start = kappa_monotonic_us();
    for (unsigned long i = 0; i < count; i++) {
        send_request(&load, &connections[i]);
    }
    run(&load, start + strtol(argv[5], NULL, 10) * 1000);
    report(load.done, load.wrong, kappa_monotonic_us() - start);
    return load.wrong ? 1 : 0;
}
