#ifndef KAPPA_BENCH_CLIENT_H
#define KAPPA_BENCH_CLIENT_H

/* What clients that measure have in common: connections to 127.0.0.1 that one
 * epoll watches, and the line that says what came of it. They end (2) where
 * something can't be tried. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static void
die(const char *what)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
        strerror(errno));
    exit(2);
}

/* `owner` is what the epoll gives when there is something to read. */
static int
open_connection(int epoll, uint16_t port, void *owner)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = owner };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        die("connect");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        die("epoll_ctl");
    }
    return fd;
}

static void
report(uint64_t done, uint64_t wrong, int64_t us)
{
    printf("requests %llu wrong %llu microseconds %lld\n",
        (unsigned long long)done, (unsigned long long)wrong, (long long)us);
}

#endif
