/* subscribers: many event streams, for `make bench`.
 *
 *     subscribers PORT COUNT REQUEST
 *
 * Opens COUNT connections to 127.0.0.1, sends the bytes of the file REQUEST on
 * each, and says "open" when all have been answered with 200. Then it takes
 * lines: a number N waits until N more messages (lines that begin `data:`)
 * have come in all and says "got N"; the end of the input ends it. Exits 1
 * when a stream ends or is refused, or when nothing comes for ten seconds. */

#define _GNU_SOURCE /* memmem */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 4096
#define EVENTS_MAX 256
#define SILENCE_MS 10000
/* Opened at once, so that no listen queue overflows. */
#define OPENING_MAX 200

static const char mark[] = "\ndata:";

typedef struct {
    int fd;
    bool open;
    unsigned matched; /* bytes of the mark that the last read ended with */
} stream_t;

static struct {
    int epoll;
    uint16_t port;
    char request[REQUEST_MAX];
    size_t request_len;
    stream_t *streams;
    unsigned opening, open;
    uint64_t messages;
} all;

static void
fail(const char *what)
{
    perror(what);
    exit(1);
}

static void
stream_open(stream_t *stream)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
        .sin_port = htons(all.port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = stream };

    stream->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (stream->fd < 0
        || connect(stream->fd, (struct sockaddr *)&to, sizeof(to)) < 0
        || write(stream->fd, all.request, all.request_len)
            != (ssize_t)all.request_len
        || epoll_ctl(all.epoll, EPOLL_CTL_ADD, stream->fd, &event) < 0) {
        fail("a stream can't be opened");
    }
    all.opening++;
}

/* Counts the marks, also those that two reads share. */
static void
stream_count(stream_t *stream, const char *in, size_t len)
{
    unsigned matched = stream->matched;

    for (size_t i = 0; i < len; i++) {
        matched = in[i] == mark[matched] ? matched + 1 : in[i] == mark[0];
        if (mark[matched] == '\0') {
            all.messages++;
            matched = 0;
        }
    }
    stream->matched = matched;
}

static void
stream_read(stream_t *stream)
{
    char in[16384];
    ssize_t n = read(stream->fd, in, sizeof(in));

    if (n <= 0) {
        fail("a stream ended");
    }
    if (!stream->open) {
        if (memmem(in, (size_t)n, " 200 ", 5) == NULL) {
            fprintf(stderr, "refused: %.*s\n", (int)n, in);
            exit(1);
        }
        stream->open = true;
        all.opening--;
        all.open++;
    }
    stream_count(stream, in, (size_t)n);
}

static void
pump(void)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(all.epoll, events, EVENTS_MAX, SILENCE_MS);

    if (n <= 0) {
        fprintf(stderr, "nothing came in time: %u streams, %lu messages\n",
            all.open, (unsigned long)all.messages);
        exit(1);
    }
    for (int i = 0; i < n; i++) {
        stream_read(events[i].data.ptr);
    }
}

static void
open_all(unsigned count)
{
    unsigned begun = 0;

    all.streams = calloc(count, sizeof(stream_t));
    if (all.streams == NULL) {
        fail("memory");
    }
    while (all.open < count) {
        while (begun < count && all.opening < OPENING_MAX) {
            stream_open(&all.streams[begun++]);
        }
        pump();
    }
    printf("open\n");
    fflush(stdout);
}

int
main(int argc, char **argv)
{
    unsigned long wanted;
    FILE *in = argc == 4 ? fopen(argv[3], "r") : NULL;

    if (in == NULL) {
        fprintf(stderr, "usage: subscribers PORT COUNT REQUEST\n");
        return 2;
    }
    all.request_len = fread(all.request, 1, sizeof(all.request), in);
    fclose(in);
    all.port = (uint16_t)atoi(argv[1]);
    all.epoll = epoll_create1(0);
    open_all((unsigned)atoi(argv[2]));
    while (scanf("%lu", &wanted) == 1) {
        while (all.messages < wanted) {
            pump();
        }
        printf("got %lu\n", (unsigned long)all.messages);
        fflush(stdout);
        all.messages -= wanted;
    }
    return 0;
}
