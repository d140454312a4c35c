#include "util/args_i.h"

#include "util/writer.h"

#define COLUMNS 79
#define INDENT 7

static void put(struct cc_writer *w, const char *text)
{
    cc_write_bytes(w, text, strlen(text));
}

/* text in lines of at most COLUMNS, each behind INDENT blanks; a word longer
 * than a line stands alone. Line ends of text stay. */
static void put_paragraph(struct cc_writer *w, const char *text)
{
    size_t column = 0;

    while (*text) {
        size_t word = strcspn(text, " \n");

        if (column && column + 1 + word > COLUMNS) {
            put(w, "\n");
            column = 0;
        }
        if (!column) {
            cc_write_bytes(w, "                ", INDENT);
            column = INDENT;
        } else {
            put(w, " ");
            column++;
        }
        cc_write_bytes(w, text, word);
        column += word;
        text += word;
        if (*text == '\n') {
            put(w, "\n");
            column = 0;
        }
        if (*text)
            text++;
    }
}

static bool shown(const struct cc_arg_option *o, bool debug)
{
    return !(o->flags & CC_ARG_HIDDEN) && (debug || !(o->flags & CC_ARG_DEBUG));
}

/* Is this option the first of its category that is shown? */
static bool leads(const struct cc_args *a, size_t i, bool debug)
{
    if (!shown(&a->options[i], debug))
        return false;
    for (size_t j = 0; j < i; j++) {
        if (shown(&a->options[j], debug) &&
            !strcmp(a->options[j].category, a->options[i].category))
            return false;
    }
    return true;
}

char *cc_args_help(const struct cc_args *a, bool debug)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    for (size_t i = 0; i < a->option_count; i++) {
        if (!leads(a, i, debug))
            continue;
        put(&w, a->options[i].category);
        put(&w, "\n\n");
        for (size_t j = i; j < a->option_count; j++) {
            const struct cc_arg_option *o = &a->options[j];

            if (!shown(o, debug) ||
                strcmp(o->category, a->options[i].category) != 0)
                continue;
            put(&w, "  -");
            put(&w, o->name);
            put(&w, o->usage);
            put(&w, "\n");
            put_paragraph(&w, o->help);
            put(&w, "\n\n");
        }
    }
    cc_write_u8(&w, '\0');
    return (char *)cc_writer_take(&w, NULL);
}
