/* Our onion service (tor.h) among what the net knows of us. */
#include <stdio.h>
#include <stdlib.h>

#include "net/node.h"
#include "net/torctl.h"
#include "util/fs.h"
#include "util/mem.h"

struct news {
    struct cc_net *n;
    struct cc_netaddr service; /* network 0: it is gone */
    char socks[72];
};

static void task_news(void *arg)
{
    struct news *e = arg;
    struct cc_net *n = e->n;
    struct cc_proxy *p = &n->reach.proxy[CC_NET_TORV3];

    if (n->onion.network)
        cc_listen_forget_local(n, &n->onion);
    n->onion = e->service;
    if (n->onion.network)
        cc_listen_tell_local(n, &n->onion);
    if (n->onion.network && n->tor_asks) {
        pthread_mutex_lock(&n->lock);
        p->port = CC_SOCKS_PORT;
        p->randomize = !n->o.proxy_plain;
        if (!cc_host_split(e->socks, p->host, sizeof(p->host), &p->port))
            p->host[0] = '\0';
        n->reach.reachable[CC_NET_TORV3] = p->host[0] && n->reach.onion_allowed;
        pthread_mutex_unlock(&n->lock);
    }
    free(e);
}

static void post(struct cc_net *n, const struct cc_netaddr *service,
                 const char *socks)
{
    struct news *e = cc_calloc(1, sizeof(*e));

    e->n = n;
    if (service)
        e->service = *service;
    if (socks)
        snprintf(e->socks, sizeof(e->socks), "%s", socks);
    cc_net_post(n, task_news, e);
}

static void on_ready(void *arg, const struct cc_netaddr *service,
                     const char *socks)
{
    post(arg, service, socks);
}

static void on_gone(void *arg) { post(arg, NULL, NULL); }

static void start_on_loop(void *arg)
{
    struct cc_net *n = arg;
    const char *control = n->o.tor_control;
    struct cc_tor_config c = {
        .loop = n->loop,
        .log = n->log,
        .control = {.port = CC_TORCTL_PORT},
        .password = n->o.tor_password,
        .key_path = n->onion_path,
        .ask_socks = n->tor_asks,
        .port = n->params->port,
        .connect_timeout_ms = n->o.connect_timeout_ms,
        .ready = on_ready,
        .gone = on_gone,
        .arg = n,
    };

    cc_host_split(control && *control ? control : "127.0.0.1", c.control.host,
                  sizeof(c.control.host), &c.control.port);
    cc_netaddr_format_port(c.target, &n->onion_target);
    n->tor = cc_tor_new(&c);
}

void cc_onion_start(struct cc_net *n)
{
    if (!n->o.listen_onion || !n->onion_target.network || !n->o.directory)
        return;
    n->onion_path = cc_fs_join(n->o.directory, "onion_v3_private_key");
    n->tor_asks = !n->o.onion || !*n->o.onion;
    cc_loop_post(n->loop, start_on_loop, n);
}

void cc_onion_stop(struct cc_net *n)
{
    cc_tor_free(n->tor);
    n->tor = NULL;
    free(n->onion_path);
    n->onion_path = NULL;
}
