/*
 * The usual mistakes of people who write YAML, told apart by what stands at
 * the place where the parser gave up.
 */
#include "config/template/yaml_error.h"

static struct hg_str line_at(struct hg_str bytes, unsigned line)
{
    struct hg_str text;

    while (hg_str_next(&bytes, '\n', &text))
        if (--line == 0)
            return text;
    return HG_STR("");
}

static bool is_indented_with_tab(struct hg_str line)
{
    for (size_t i = 0; i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'); i++)
        if (line.p[i] == '\t')
            return true;
    return false;
}

static void add_encoding_fault(struct hg_problems *problems, struct hg_str bytes,
                               const struct yaml_fault *fault)
{
    unsigned line = 1, column = 1;

    for (size_t i = 0; i < fault->offset && i < bytes.n; i++) {
        column = bytes.p[i] == '\n' ? 1 : column + 1;
        line += bytes.p[i] == '\n';
    }
    problems_add(problems, line, column,
                 "%s; save the file as UTF-8 text without control characters",
                 fault->text ? fault->text : "not valid UTF-8");
}

/* The character at a column that counts characters, '\0' at the end of the line. */
static char char_at(struct hg_str line, unsigned column)
{
    for (size_t i = 0; i < line.n; i++)
        if ((line.p[i] & 0xc0) != 0x80 && --column == 0)
            return line.p[i];
    return '\0';
}

static bool is_tag_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == YAML_TAG_JOINT;
}

bool yaml_join_tags(char *bytes, size_t length, const struct yaml_fault *fault)
{
    struct hg_str line = line_at(hg_str_n(bytes, length), fault->line);
    size_t second = 0, first_end, start;

    if (fault->is_encoding)
        return false;
    for (unsigned column = fault->column; second < line.n; second++)
        if ((line.p[second] & 0xc0) != 0x80 && --column == 0)
            break;
    if (second + 1 >= line.n || line.p[second] != '!' || !is_tag_char(line.p[second + 1]))
        return false;
    for (first_end = second; first_end > 0 && line.p[first_end - 1] == ' '; first_end--)
        ;
    for (start = first_end; start > 0 && is_tag_char(line.p[start - 1]); start--)
        ;
    if (first_end == second || start == first_end || start == 0 || line.p[start - 1] != '!')
        return false;
    memset(bytes + (line.p - bytes) + first_end, YAML_TAG_JOINT, second + 1 - first_end);
    return true;
}

void yaml_error_add(struct hg_problems *problems, struct hg_str bytes,
                    const struct yaml_fault *fault)
{
    static const struct {
        const char *said, *sentence;
    } remedies[] = {
        {"mapping values are not allowed",
         "a ':' is not allowed here: the indentation does not fit, or a text with ': ' needs quotes"},
        {"could not find expected ':'",
         "a key without ':' behind it, or text that is indented too little"},
        {"did not find expected key",
         "the indentation does not match the lines above, or a text needs quotes"},
        {"did not find expected '-' indicator",
         "the indentation does not match the list above; items start with '- '"},
        {"did not find expected ',' or ']'",
         "a list that starts with '[' is not closed, or a comma is missing"},
        {"did not find expected ',' or '}'",
         "a map that starts with '{' is not closed, or a comma is missing"},
        {"found unexpected end of stream",
         "a quoted text is not closed before the end of the file"},
        {"found unknown escape character",
         "unknown escape in a double-quoted text; write \\\\ for a backslash, or use single quotes"},
        {"block sequence entries are not allowed",
         "a list item '- ' is not allowed here: start it on a line of its own"},
        {"found undefined tag handle",
         "a tag with two '!'; write one function as a short tag and the other as Fn::Name:"},
    };
    struct hg_str line = line_at(bytes, fault->line);
    const char *said = fault->text ? fault->text : "not valid YAML";
    char first;

    if (fault->is_encoding) {
        add_encoding_fault(problems, bytes, fault);
        return;
    }
    if (is_indented_with_tab(line)) {
        problems_add(
            problems, fault->line, fault->column,
            "a tab is used for indentation, YAML allows blanks only: replace it by blanks");
        return;
    }
    first = char_at(line, fault->column);
    if (strstr(said, "cannot start any token")) {
        problems_add(problems, fault->line, fault->column,
                     "a value cannot start with '%c': put it in quotes", first);
        return;
    }
    for (size_t i = 0; i < HG_COUNT(remedies); i++)
        if (strstr(said, remedies[i].said)) {
            problems_add(problems, fault->line, fault->column, "%s", remedies[i].sentence);
            return;
        }
    if (fault->context)
        problems_add(problems, fault->line, fault->column, "not valid YAML: %s %s (from line %u)",
                     said, fault->context, fault->context_line);
    else
        problems_add(problems, fault->line, fault->column, "not valid YAML: %s", said);
}
