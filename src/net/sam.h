/*
 * sam.h: the client's side of I2P's SAM bridge, as lines in and lines out.
 *
 * Version 3.1 (geti2p.net/en/docs/api/samv3): a session lives as long as the
 * socket that made it; each connection within it is a socket of its own, which
 * after the last line carries the peers' bytes. Nothing here touches a socket;
 * the lines of a bridge are bounded.
 */
#ifndef CC_NET_SAM_H
#define CC_NET_SAM_H

#include "net/netaddr.h"
#include "util/writer.h"

#define CC_SAM_PORT 7656
#define CC_SAM_MAX_LINE 4096 /* a private key is some 900 letters */
#define CC_SAM_ID_SIZE 11

enum cc_sam_goal {
    CC_SAM_SESSION,
    CC_SAM_CONNECT, /* to host, within the session id */
    CC_SAM_ACCEPT,  /* the next who comes to the session id */
};

enum cc_sam_state {
    CC_SAM_TALKING,
    CC_SAM_DONE, /* from here on the bytes are the other end's */
    CC_SAM_FAILED,
};

struct cc_sam {
    enum cc_sam_goal goal;
    enum cc_sam_state state;
    int step;
    char id[CC_SAM_ID_SIZE];
    char host[72];         /* CONNECT: "....b32.i2p" */
    bool transient;        /* SESSION: an address for once */
    char *key;             /* SESSION: ours, in the bridge's letters; or NULL */
    bool fresh;            /* SESSION: the key was made now and must be kept */
    struct cc_netaddr who; /* SESSION: ourselves; ACCEPT: who came */
    char why[96];
};

/* key: malloc'd, taken; NULL where there is none yet. Appends to out what is
 * to be sent first. */
void cc_sam_start(struct cc_sam *s, enum cc_sam_goal goal,
                  const char id[CC_SAM_ID_SIZE], struct cc_writer *out);
/* Look at what came; returns how much of it was used (0: more is needed),
 * appends what is to be sent next. To be called again while it uses
 * something. */
size_t cc_sam_input(struct cc_sam *s, const uint8_t *data, size_t len,
                    struct cc_writer *out);
void cc_sam_clear(struct cc_sam *s);

/* Keys and destinations between bytes and the bridge's letters. */
char *cc_sam_encode(const void *data, size_t len);
uint8_t *cc_sam_decode(const char *text, size_t *len); /* NULL: is none */
/* The address of a destination, or of the one that a private key begins with.
 * False: it is none. */
bool cc_sam_address(struct cc_netaddr *out, const char *text);

#endif
