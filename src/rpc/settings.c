#include "rpc/settings.h"

#include <stdlib.h>

#include "rpc/json.h"
#include "util/fs.h"
#include "util/mem.h"

#define FILE_NAME "settings.json"
#define FILE_MAX (1u << 20)

/* The file as an object; a new one if there is none. */
static enum cc_status read_settings(const char *path, json_t **out,
                                    struct cc_error *err)
{
    uint8_t *text = NULL;
    size_t len;
    enum cc_status st = cc_fs_read(path, FILE_MAX, &text, &len, err);

    if (st == CC_NOTFOUND) {
        *out = json_object();
        return CC_OK;
    }
    if (st != CC_OK)
        return cc_context(err, st, "Settings file could not be read");
    *out = cc_json_parse((const char *)text, len);
    free(text);
    if (json_is_object(*out))
        return CC_OK;
    json_decref(*out);
    return cc_fail(err, CC_INVALID,
                   "Settings file could not be read: %s is no JSON object",
                   path);
}

static enum cc_status write_settings(const char *path, const json_t *settings,
                                     struct cc_error *err)
{
    char *text = cc_json_dump(settings, 4);
    enum cc_status st = cc_fs_write(path, text, strlen(text), 0600, err);

    free(text);
    return st;
}

/* Its place in the list of names, or the list's length. */
static size_t place_of(const json_t *list, const char *name)
{
    size_t i = 0;

    for (; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);

        if (cc_json_is_string(v) && !strcmp(json_string_value(v), name))
            break;
    }
    return i;
}

enum cc_status cc_settings_set_wallet(const char *chaindir, const char *name,
                                      bool load, struct cc_error *err)
{
    char *path = cc_fs_join(chaindir, FILE_NAME);
    json_t *settings, *list;
    enum cc_status st = read_settings(path, &settings, err);
    size_t at;

    if (st != CC_OK) {
        free(path);
        return st;
    }
    list = json_object_get(settings, "wallet");
    if (!json_is_array(list)) {
        list = json_array();
        json_object_set_new(settings, "wallet", list);
    }
    at = place_of(list, name);
    if ((at < json_array_size(list)) != load) {
        if (load)
            json_array_append_new(list, json_string(name));
        else
            json_array_remove(list, at);
        st = write_settings(path, settings, err);
    }
    json_decref(settings);
    free(path);
    return st;
}

enum cc_status cc_settings_load_wallet(struct cc_wallets *wallets,
                                       const char *name, cc_warn_fn warn,
                                       void *arg, struct cc_error *err)
{
    enum cc_status st = cc_wallets_load(wallets, name, err);
    char *text;

    if (st == CC_LIMIT && !strcmp(err->reason, "loaded"))
        text = cc_asprintf("Ignoring duplicate -wallet %s.", name);
    else if (st == CC_NOTFOUND)
        text = cc_asprintf("Skipping -wallet path that doesn't exist. Failed "
                           "to load database path '%s/%s'. Path does not "
                           "exist.",
                           cc_wallets_config(wallets)->directory, name);
    else
        return st;
    warn(arg, text);
    free(text);
    return CC_OK;
}

enum cc_status cc_settings_load_wallets(const char *chaindir,
                                        struct cc_wallets *wallets,
                                        cc_warn_fn warn, void *arg,
                                        struct cc_error *err)
{
    char *path = cc_fs_join(chaindir, FILE_NAME);
    json_t *settings;
    const json_t *list;
    enum cc_status st = read_settings(path, &settings, err);

    free(path);
    if (st != CC_OK)
        return st;
    list = json_object_get(settings, "wallet");
    for (size_t i = 0; st == CC_OK && i < json_array_size(list); i++) {
        const json_t *name = json_array_get(list, i);

        if (cc_json_is_string(name))
            st = cc_settings_load_wallet(wallets, json_string_value(name), warn,
                                         arg, err);
        else
            st = cc_fail(err, CC_INVALID,
                         "Settings file: a wallet's name is no string");
    }
    json_decref(settings);
    return st;
}
