/*
 * All settings lie in one list, in the order they were read, each with where
 * it came from. Questions walk the list: there are at most a few hundred
 * settings and they are asked for at start. What counts as "the" value is
 * told in args.h; the odd corners (first of the file, last of the command
 * line; negations) are bitcoind's, kept because configuration files are.
 */
#include "util/args.h"

#include <stdio.h>
#include <stdlib.h>

#include "util/args_i.h"
#include "util/fs.h"
#include "util/mem.h"
#include "util/writer.h"

struct cc_args *cc_args_new(const struct cc_arg_option *options, size_t count)
{
    struct cc_args *a = cc_calloc(1, sizeof(*a));

    a->options = options;
    a->option_count = count;
    a->section = cc_strdup("main");
    return a;
}

static void free_list(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i]);
    free(list);
}

void cc_args_free(struct cc_args *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->count; i++) {
        free(a->settings[i].section);
        free(a->settings[i].name);
        free(a->settings[i].value);
        free(a->settings[i].line);
    }
    free(a->settings);
    free_list(a->warnings, a->warning_count);
    free_list(a->strange, a->strange_count);
    free(a->section);
    free(a);
}

const struct cc_arg_option *cc_args_option(const struct cc_args *a,
                                           const char *name)
{
    for (size_t i = 0; i < a->option_count; i++) {
        if (!strcmp(a->options[i].name, name))
            return &a->options[i];
    }
    return NULL;
}

static void add_text(char ***list, size_t *count, size_t *cap, char *text)
{
    *list = cc_grow(*list, cap, *count + 1, sizeof(**list));
    (*list)[(*count)++] = text;
}

static void warn(struct cc_args *a, char *text)
{
    add_text(&a->warnings, &a->warning_count, &a->warning_cap, text);
}

/* How a word says what it says. */
enum mood { PLAIN, NEGATED, DOUBLED };

static void add(struct cc_args *a, enum source source, const char *section,
                const char *name, const char *value, enum mood mood)
{
    struct setting *s;

    a->settings =
        cc_grow(a->settings, &a->cap, a->count + 1, sizeof(*a->settings));
    s = &a->settings[a->count++];
    s->source = source;
    s->section = cc_strdup(section);
    s->name = cc_strdup(name);
    s->value = cc_strdup(value);
    s->negated = mood == NEGATED;
    s->doubled = mood == DOUBLED;
    s->line = NULL;
    s->mute = false;
}

static bool truth(const char *value)
{
    return *value == '\0' || strtoll(value, NULL, 10) != 0;
}

/* "noname" says no, unless its own value is no; *name moves past the "no". */
static enum mood mood_of(struct cc_args *a, const char **name,
                         const char **value)
{
    if (strncmp(*name, "no", 2) != 0)
        return PLAIN;
    *name += 2;
    if (!truth(*value)) {
        warn(a, cc_asprintf("parsed potentially confusing double-negative "
                            "-%s=%s",
                            *name, *value));
        *value = "1";
        return DOUBLED;
    }
    return NEGATED;
}

/* One word of the command line, without its dashes. */
static enum cc_status take_word(struct cc_args *a, const char *word,
                                struct cc_error *err)
{
    const char *eq = strchr(word, '='), *value = eq ? eq + 1 : "", *name;
    const struct cc_arg_option *option;
    enum cc_status st = CC_OK;
    char *whole = cc_strdup(word);
    enum mood mood;

    if (eq)
        whole[eq - word] = '\0';
    name = whole;
    mood = mood_of(a, &name, &value);
    option = strchr(name, '.') ? NULL : cc_args_option(a, name);
    if (!option)
        st = cc_fail(err, CC_INVALID, "Invalid parameter -%s", word);
    else if (mood == NEGATED && option->flags & CC_ARG_NO_NEGATE)
        st = cc_fail(err, CC_INVALID,
                     "Negating of -%s is meaningless and therefore forbidden",
                     name);
    else if (!eq && mood != NEGATED && option->flags & CC_ARG_VALUE)
        st = cc_fail(err, CC_INVALID,
                     "Can not set -%s with no value. Please specify value with "
                     "-%s=value.",
                     name, name);
    else
        add(a, FROM_COMMAND_LINE, "", name, value, mood);
    free(whole);
    return st;
}

static bool belongs(const struct cc_args *a, const struct setting *s,
                    enum source source, const char *name)
{
    return s->source == source && !s->mute && !strcmp(s->name, name) &&
           (source != FROM_SECTION || !strcmp(s->section, a->section));
}

/* The settings of one source under one name, but for those before its last
 * negation: list[from, to) holds count of them. */
struct span {
    size_t from, to, count;
    const struct setting *first, *last;
    bool negated;      /* somewhere */
    bool last_negated; /* and nothing after it */
};

static struct span span_of(const struct cc_args *a, enum source source,
                           const char *name)
{
    struct span r = {.to = a->count};

    for (size_t i = 0; i < a->count; i++) {
        const struct setting *s = &a->settings[i];

        if (!belongs(a, s, source, name))
            continue;
        if (s->negated) {
            r = (struct span){.from = i + 1, .to = a->count, .negated = true};
            r.last_negated = true;
            continue;
        }
        if (!r.count++)
            r.first = s;
        r.last = s;
        r.last_negated = false;
    }
    return r;
}

/* value in quotes, as JSON writes it. */
static char *quoted(const char *value)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_write_u8(&w, '"');
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            cc_write_u8(&w, '\\');
        cc_write_u8(&w, (uint8_t)*value);
    }
    cc_write_bytes(&w, "\"", 2);
    return (char *)w.data;
}

/* As bitcoind tells it: JSON. */
static char *said(const struct setting *s)
{
    return s->negated   ? cc_strdup("false")
           : s->doubled ? cc_strdup("true")
                        : quoted(s->value);
}

/* The command line may forbid includes, not name them. */
static enum cc_status check_include(const struct cc_args *a,
                                    struct cc_error *err)
{
    struct span s = span_of(a, FROM_COMMAND_LINE, "includeconf");
    char *value;

    if (!s.count)
        return CC_OK;
    value = said(s.first);
    cc_fail(err, CC_INVALID,
            "-includeconf cannot be used from commandline; -includeconf=%s",
            value);
    free(value);
    return CC_INVALID;
}

enum cc_status cc_args_parse(struct cc_args *a, int argc, char **argv,
                             int *rest, struct cc_error *err)
{
    int i = 0;

    for (; i < argc; i++) {
        const char *word = argv[i];

        if (word[0] != '-' || word[1] == '\0')
            break;
        word += word[1] == '-' && word[2] ? 2 : 1;
        if (take_word(a, word, err) != CC_OK)
            return CC_INVALID;
    }
    if (rest)
        *rest = i;
    else if (i < argc)
        return cc_fail(err, CC_INVALID,
                       "Command line contains unexpected token '%s'", argv[i]);
    return check_include(a, err);
}

void cc_args_warn(struct cc_args *a, const char *text)
{
    warn(a, cc_strdup(text));
}

void cc_args_add_saved(struct cc_args *a, const char *name,
                       const char *const *values, size_t count, bool negated,
                       const char *json)
{
    struct setting *s;

    if (!cc_args_option(a, name))
        warn(a, cc_asprintf("Ignoring unknown rw_settings value %s", name));
    add(a, FROM_SAVED, "", name, "", PLAIN);
    s = &a->settings[a->count - 1];
    s->line = cc_asprintf("Setting file arg: %s = %s", name, json);
    s->mute = true;
    for (size_t i = 0; i < count; i++)
        add(a, FROM_SAVED, "", name, values[i], negated ? NEGATED : PLAIN);
}

void cc_args_select(struct cc_args *a, const char *section)
{
    char *copy = cc_strdup(section);

    free(a->section);
    a->section = copy;
}

/* --- The file ------------------------------------------------------------ */

static bool known_section(const char *name)
{
    return !strcmp(name, "main") || !strcmp(name, "test") ||
           !strcmp(name, "signet") || !strcmp(name, "regtest");
}

/* In place; returns the first byte that is no blank. */
static char *trim(char *s)
{
    size_t len;

    s += strspn(s, " \t\r\n");
    len = strlen(s);
    while (len && strchr(" \t\r\n", s[len - 1]))
        len--;
    s[len] = '\0';
    return s;
}

struct file {
    const char *path;
    unsigned line;
    char *section; /* of the line being read, "" above all */
    bool included;
};

/* bitcoind warns of sections that no chain has. */
static void look_at_section(struct cc_args *a, const struct file *f,
                            const char *name)
{
    if (!known_section(name))
        add_text(&a->strange, &a->strange_count, &a->strange_cap,
                 cc_asprintf("%s:%u Section [%s] is not recognized.", f->path,
                             f->line, name));
}

static enum cc_status take_setting(struct cc_args *a, struct file *f,
                                   char *line, bool comment,
                                   struct cc_error *err)
{
    char *eq = strchr(line, '='), *raw, *dot;
    const char *section = f->section, *name, *value;
    const struct cc_arg_option *option;
    enum mood mood;

    if (!eq)
        return cc_fail(err, CC_INVALID, "parse error on line %u: %s%s%s%s",
                       f->line, line,
                       strncmp(line, "no", 2) ? ""
                                              : ", if you intended to specify "
                                                "a negated option, use ",
                       strncmp(line, "no", 2) ? "" : line,
                       strncmp(line, "no", 2) ? "" : "=1 instead");
    *eq = '\0';
    raw = trim(line);
    value = trim(eq + 1);
    if (comment && strstr(raw, "rpcpassword"))
        return cc_fail(err, CC_INVALID,
                       "parse error on line %u, using # in rpcpassword can be "
                       "ambiguous and should be avoided",
                       f->line);
    dot = strchr(raw, '.');
    if (!*section && dot) {
        *dot = '\0';
        section = raw;
        raw = dot + 1;
        look_at_section(a, f, section);
    }
    name = raw;
    mood = mood_of(a, &name, &value);
    option = cc_args_option(a, name);
    if (!strcmp(name, "conf"))
        return cc_fail(err, CC_INVALID,
                       "conf cannot be set in the configuration file; use "
                       "includeconf= if you want to include additional config "
                       "files");
    if (!strcmp(name, "reindex")) /* at every start: hardly meant so */
        warn(a, cc_strdup("reindex=1 is set in the configuration file, which "
                          "will significantly slow down startup. Consider "
                          "removing or commenting out this option for better "
                          "performance, unless there is currently a condition "
                          "which makes rebuilding the indexes necessary"));
    if (!option || option->flags & CC_ARG_CLI_ONLY) {
        warn(a, cc_asprintf("Ignoring unknown configuration value %s%s%s",
                            section, *section ? "." : "", name));
        return CC_OK;
    }
    if (mood == NEGATED && option->flags & CC_ARG_NO_NEGATE)
        return cc_fail(err, CC_INVALID,
                       "Negating of -%s is meaningless and therefore forbidden",
                       name);
    if (f->included && !strcmp(name, "includeconf")) {
        warn(a, cc_asprintf("-includeconf cannot be used from included files; "
                            "ignoring -includeconf=%s",
                            value));
        return CC_OK;
    }
    add(a, *section ? FROM_SECTION : FROM_TOP, section, name, value, mood);
    return CC_OK;
}

static enum cc_status take_line(struct cc_args *a, struct file *f, char *line,
                                struct cc_error *err)
{
    char *hash = strchr(line, '#');
    size_t len;

    if (hash)
        *hash = '\0';
    line = trim(line);
    len = strlen(line);
    if (!len)
        return CC_OK;
    if (line[0] == '[' && line[len - 1] == ']') {
        line[len - 1] = '\0';
        free(f->section);
        f->section = cc_strdup(line + 1);
        look_at_section(a, f, f->section);
        return CC_OK;
    }
    if (line[0] == '-')
        return cc_fail(err, CC_INVALID,
                       "parse error on line %u: %s, options in configuration "
                       "file must be specified without leading -",
                       f->line, line);
    return take_setting(a, f, line, hash != NULL, err);
}

static enum cc_status read_text(struct cc_args *a, const char *text, size_t len,
                                const char *path, bool included,
                                struct cc_error *err)
{
    struct file f = {path, 0, cc_strdup(""), included};
    char *copy = cc_calloc(len + 1, 1), *pos = copy, *line;
    enum cc_status st = CC_OK;

    memcpy(copy, text, len);
    if (memchr(text, '\0', len))
        st = cc_fail(err, CC_INVALID, "holds a zero byte");
    while (st == CC_OK && (line = strsep(&pos, "\n"))) {
        f.line++;
        st = take_line(a, &f, line, err);
    }
    free(copy);
    free(f.section);
    return st;
}

static enum cc_status read_one(struct cc_args *a, const char *path,
                               bool included, struct cc_error *err)
{
    uint8_t *text = NULL;
    size_t len;
    enum cc_status st;

    if (cc_fs_is_dir(path))
        return cc_fail(err, CC_INVALID, "%s file \"%s\" is a directory.",
                       included ? "Included config" : "Config", path);
    st = cc_fs_read(path, CC_ARGS_FILE_MAX, &text, &len, err);
    if (st == CC_OK)
        st = read_text(a, (const char *)text, len, path, included, err);
    free(text);
    return st;
}

static enum cc_status read_includes(struct cc_args *a, const char *directory,
                                    struct cc_error *err)
{
    size_t end = a->count; /* what an included file adds is not looked at */
    const char *chain;
    enum cc_status st = cc_args_chain(a, &chain, err);

    if (span_of(a, FROM_COMMAND_LINE, "includeconf").last_negated)
        return st;
    for (size_t i = 0; st == CC_OK && i < end; i++) {
        const struct setting *s = &a->settings[i];
        char *path;

        if (strcmp(s->name, "includeconf") != 0 || s->negated ||
            (s->source == FROM_SECTION && strcmp(s->section, chain) != 0))
            continue;
        path = cc_fs_join(directory, s->value);
        st = read_one(a, path, true, err);
        if (st == CC_NOTFOUND || st == CC_IO)
            st = cc_fail(err, CC_INVALID,
                         "Failed to include configuration file %s", s->value);
        free(path);
    }
    return st;
}

enum cc_status cc_args_read_file(struct cc_args *a, const char *path,
                                 const char *directory, struct cc_error *err)
{
    enum cc_status st = read_one(a, path, false, err);

    return st == CC_OK ? read_includes(a, directory, err) : st;
}

enum cc_status cc_args_read_text(struct cc_args *a, const char *text,
                                 size_t len, const char *path,
                                 const char *directory, struct cc_error *err)
{
    enum cc_status st = read_text(a, text, len, path, false, err);

    return st == CC_OK ? read_includes(a, directory, err) : st;
}

/* --- Asking -------------------------------------------------------------- */

/* Is the top of the file silent about this option on this chain? */
static bool top_ignored(const struct cc_args *a, const char *name)
{
    const struct cc_arg_option *o = cc_args_option(a, name);

    return o && o->flags & CC_ARG_NETWORK && strcmp(a->section, "main") != 0;
}

/* What decides: its value, "0" for a negation, NULL if nobody says. */
static const char *decide(const struct cc_args *a, const char *name,
                          bool chain_type, bool *negated)
{
    for (enum source src = FORCED; src < SOURCES; src++) {
        struct span s;

        if (chain_type && src == FROM_SECTION)
            continue; /* which section counts is the question itself */
        s = span_of(a, src, name);
        if (src == FROM_TOP && top_ignored(a, name) && !s.last_negated)
            continue;
        if (chain_type && s.last_negated)
            continue;
        *negated = s.last_negated;
        if (s.count)
            return src < FROM_SECTION || chain_type ? s.last->value
                                                    : s.first->value;
        if (s.last_negated)
            return "0";
    }
    *negated = false;
    return NULL;
}

bool cc_args_is_set(const struct cc_args *a, const char *name)
{
    return cc_args_get(a, name, NULL) != NULL;
}

bool cc_args_is_negated(const struct cc_args *a, const char *name)
{
    bool negated;

    decide(a, name, false, &negated);
    return negated;
}

const char *cc_args_get(const struct cc_args *a, const char *name,
                        const char *otherwise)
{
    bool negated;
    const char *value = decide(a, name, false, &negated);

    return value ? value : otherwise;
}

int64_t cc_args_get_int(const struct cc_args *a, const char *name,
                        int64_t otherwise)
{
    const char *value = cc_args_get(a, name, NULL);

    return value ? strtoll(value, NULL, 10) : otherwise;
}

bool cc_args_get_bool(const struct cc_args *a, const char *name, bool otherwise)
{
    const char *value = cc_args_get(a, name, NULL);

    return value ? truth(value) : otherwise;
}

const char *cc_args_get_nth(const struct cc_args *a, const char *name, size_t n)
{
    bool done = false, emptied = false;
    size_t seen = 0;

    for (enum source src = FORCED; src < SOURCES; src++) {
        struct span s = span_of(a, src, name);
        bool file = src == FROM_SECTION || src == FROM_TOP;

        if (src == FROM_TOP && top_ignored(a, name) && !s.last_negated)
            continue;
        /* bitcoind: "-noconnect -connect=a" hides nothing of the file, a
         * last "-noconnect" does. */
        if (!done || (file && !emptied)) {
            for (size_t i = s.from; s.count && i < s.to; i++) {
                if (belongs(a, &a->settings[i], src, name) && seen++ == n)
                    return a->settings[i].value;
            }
        }
        done |= s.negated || (src == FORCED && s.count);
        emptied |= (s.last_negated && !seen) || (src == FORCED && s.count);
    }
    return NULL;
}

void cc_args_soft_set(struct cc_args *a, const char *name, const char *value)
{
    if (!cc_args_is_set(a, name))
        cc_args_force(a, name, value);
}

void cc_args_force(struct cc_args *a, const char *name, const char *value)
{
    add(a, FORCED, "", name, value, PLAIN);
}

enum cc_status cc_args_chain(const struct cc_args *a, const char **name,
                             struct cc_error *err)
{
    bool negated;
    const char *chain = decide(a, "chain", true, &negated);
    const char *test = decide(a, "testnet", true, &negated);
    const char *reg = decide(a, "regtest", true, &negated);
    const char *sig = decide(a, "signet", true, &negated);
    bool is_test = test && truth(test), is_reg = reg && truth(reg);
    bool is_sig = sig && truth(sig);

    if ((chain != NULL) + is_test + is_reg + is_sig > 1)
        return cc_fail(err, CC_INVALID,
                       "Invalid combination of -regtest, -signet, -testnet and "
                       "-chain. Can use at most one.");
    *name = chain     ? chain
            : is_test ? "test"
            : is_reg  ? "regtest"
            : is_sig  ? "signet"
                      : "main";
    return CC_OK;
}

char *cc_args_line(const struct cc_args *a, size_t i)
{
    const struct cc_arg_option *option;
    const struct setting *s;
    char *value, *line;

    for (s = a->settings; s < a->settings + a->count; s++)
        if ((s->source != FROM_SAVED || s->line) && i-- == 0)
            break;
    if (s == a->settings + a->count)
        return NULL;
    if (s->line)
        return cc_strdup(s->line);
    option = cc_args_option(a, s->name);
    if (option && option->flags & CC_ARG_SECRET)
        value = cc_strdup("****");
    else
        value = said(s);
    line = cc_asprintf("%s arg: %s%s%s%s=%s",
                       s->source == FROM_SECTION || s->source == FROM_TOP
                           ? "Config file"
                           : "Command-line",
                       *s->section ? "[" : "", s->section,
                       *s->section ? "] " : "", s->name, value);
    free(value);
    return line;
}

const char *cc_args_warning(const struct cc_args *a, size_t i)
{
    return i < a->warning_count ? a->warnings[i] : NULL;
}

const char *cc_args_unknown_section(const struct cc_args *a, size_t i)
{
    return i < a->strange_count ? a->strange[i] : NULL;
}

const char *cc_args_ignored(const struct cc_args *a, size_t i)
{
    for (size_t o = 0; o < a->option_count; o++) {
        const char *name = a->options[o].name;

        if (!top_ignored(a, name) || !span_of(a, FROM_TOP, name).count)
            continue;
        if (cc_args_is_set(a, name))
            continue;
        if (i-- == 0)
            return name;
    }
    return NULL;
}
