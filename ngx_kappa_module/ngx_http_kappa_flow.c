#include "ngx_kappa_module/ngx_http_kappa.h"

/* Bytes that leave one buffer at a time: the next is filled only when the
 * last is gone, so a slow client holds no more than that. */

/* What nginx says of the bytes it has. */
static ngx_int_t
ngx_http_kappa_flow_result(ngx_http_kappa_flow_t *flow, ngx_int_t rc)
{
    ngx_http_request_t *r = flow->request;
    ngx_connection_t *c = r->connection;
    ngx_http_core_loc_conf_t *clcf =
        ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }
    if (!r->buffered && !r->postponed && !c->buffered) {
        /* A delay (limit_rate) ends by that timer. */
        if (c->write->timer_set && !c->write->delayed) {
            ngx_del_timer(c->write);
        }
        flow->writing = false;
        return NGX_OK;
    }
    flow->writing = true;
    if (!c->write->delayed && !c->write->timer_set) {
        ngx_add_timer(c->write, clcf->send_timeout);
    }
    return ngx_handle_write_event(c->write, clcf->send_lowat) == NGX_OK
        ? NGX_AGAIN
        : NGX_ERROR;
}

ngx_int_t
ngx_http_kappa_flow_send(ngx_http_kappa_flow_t *flow)
{
    ngx_buf_t *b = &flow->b;

    ngx_memzero(b, sizeof(*b));
    b->start = b->pos = (u_char *)flow->out.data;
    b->end = b->last = b->pos + flow->out.len;
    b->memory = 1;
    b->flush = 1;
    flow->link = (ngx_chain_t){ b, NULL };
    return ngx_http_kappa_flow_result(
        flow, ngx_http_output_filter(flow->request, &flow->link));
}

ngx_int_t
ngx_http_kappa_flow_continue(ngx_http_kappa_flow_t *flow)
{
    ngx_http_request_t *r = flow->request;

    if (r->connection->write->timedout) {
        r->connection->timedout = 1;
        ngx_http_kappa_count_slow(r);
        return NGX_ERROR;
    }
    if (!flow->writing) {
        return NGX_OK;
    }
    return ngx_http_kappa_flow_result(flow, ngx_http_output_filter(r, NULL));
}

void
ngx_http_kappa_cut(ngx_http_request_t *r)
{
    ngx_connection_t *c = r->connection;

    ngx_http_finalize_request(r, NGX_ERROR);
    ngx_http_run_posted_requests(c);
}
