#include "graphql/lexer.h"

#include <stdio.h>

#include "graphql/block_string.h"

#define END (-1) /* what peek gives behind the last byte */

static const char *const kind_texts[] = {
    [KAPPA_TOKEN_SOF] = "<SOF>",
    [KAPPA_TOKEN_EOF] = "<EOF>",
    [KAPPA_TOKEN_BANG] = "\"!\"",
    [KAPPA_TOKEN_DOLLAR] = "\"$\"",
    [KAPPA_TOKEN_AMP] = "\"&\"",
    [KAPPA_TOKEN_PAREN_L] = "\"(\"",
    [KAPPA_TOKEN_PAREN_R] = "\")\"",
    [KAPPA_TOKEN_SPREAD] = "\"...\"",
    [KAPPA_TOKEN_COLON] = "\":\"",
    [KAPPA_TOKEN_EQUALS] = "\"=\"",
    [KAPPA_TOKEN_AT] = "\"@\"",
    [KAPPA_TOKEN_BRACKET_L] = "\"[\"",
    [KAPPA_TOKEN_BRACKET_R] = "\"]\"",
    [KAPPA_TOKEN_BRACE_L] = "\"{\"",
    [KAPPA_TOKEN_PIPE] = "\"|\"",
    [KAPPA_TOKEN_BRACE_R] = "\"}\"",
    [KAPPA_TOKEN_NAME] = "Name",
    [KAPPA_TOKEN_INT] = "Int",
    [KAPPA_TOKEN_FLOAT] = "Float",
    [KAPPA_TOKEN_STRING] = "String",
    [KAPPA_TOKEN_BLOCK_STRING] = "BlockString",
};

/* Punctuators of one byte; 0 for every other byte. */
static const unsigned char punctuators[256] = {
    ['!'] = KAPPA_TOKEN_BANG,
    ['$'] = KAPPA_TOKEN_DOLLAR,
    ['&'] = KAPPA_TOKEN_AMP,
    ['('] = KAPPA_TOKEN_PAREN_L,
    [')'] = KAPPA_TOKEN_PAREN_R,
    [':'] = KAPPA_TOKEN_COLON,
    ['='] = KAPPA_TOKEN_EQUALS,
    ['@'] = KAPPA_TOKEN_AT,
    ['['] = KAPPA_TOKEN_BRACKET_L,
    [']'] = KAPPA_TOKEN_BRACKET_R,
    ['{'] = KAPPA_TOKEN_BRACE_L,
    ['|'] = KAPPA_TOKEN_PIPE,
    ['}'] = KAPPA_TOKEN_BRACE_R,
};

const char *
kappa_token_kind_text(kappa_token_kind_t kind)
{
    return kind_texts[kind];
}

kappa_status_t
kappa_syntax_error(kappa_errors_t *errors, const kappa_source_t *source,
    size_t offset, const char *format, ...)
{
    char message[512];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    /* A cut message must not end inside a character. */
    kappa_str_t text = kappa_str_c(message);
    text.len = kappa_utf8_valid(text);
    kappa_error_at(errors,
        kappa_errors_add(
            errors, "PARSE_FAILED", "Syntax Error: %.*s", KAPPA_STR_ARG(text)),
        source, offset);
    return KAPPA_INVALID;
}

void
kappa_lexer_init(kappa_lexer_t *lexer, kappa_arena_t *arena,
    const kappa_source_t *source, kappa_errors_t *errors)
{
    *lexer =
        (kappa_lexer_t){ .arena = arena, .source = source, .errors = errors };
}

static int
peek(const kappa_lexer_t *lexer, size_t at)
{
    kappa_str_t text = lexer->source->text;
    return at < text.len ? (unsigned char)text.data[at] : END;
}

static bool
is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool
is_name_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static uint32_t
decode(const kappa_lexer_t *lexer, size_t at)
{
    const unsigned char *p =
        (const unsigned char *)lexer->source->text.data + at;

    if (p[0] < 0x80) {
        return p[0];
    } else if (p[0] < 0xe0) {
        return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    } else if (p[0] < 0xf0) {
        return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6
            | (p[2] & 0x3f);
    }
    return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12
        | (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
}

/* The character at a place, for a message. */
static const char *
describe(const kappa_lexer_t *lexer, size_t at, char out[16])
{
    if (at >= lexer->source->text.len) {
        return "<EOF>";
    }
    uint32_t c = decode(lexer, at);
    if (c == '"') {
        return "'\"'";
    }
    if (c >= 0x20 && c <= 0x7e) {
        snprintf(out, 16, "\"%c\"", (char)c);
    } else {
        snprintf(out, 16, "U+%04X", c);
    }
    return out;
}

static kappa_status_t
finish(kappa_lexer_t *lexer, kappa_token_t *out, kappa_token_kind_t kind,
    size_t start, size_t end)
{
    *out = (kappa_token_t){
        .kind = kind, .offset = (uint32_t)start, .end = (uint32_t)end
    };
    lexer->position = (uint32_t)end;
    return KAPPA_OK;
}

static kappa_status_t
finish_text(kappa_lexer_t *lexer, kappa_token_t *out, kappa_token_kind_t kind,
    size_t start, size_t end)
{
    finish(lexer, out, kind, start, end);
    out->value = kappa_str(lexer->source->text.data + start, end - start);
    return KAPPA_OK;
}

/* Name :: NameStart NameContinue* */
static kappa_status_t
read_name(kappa_lexer_t *lexer, size_t start, kappa_token_t *out)
{
    size_t end = start + 1;

    while (is_name_start(peek(lexer, end)) || is_digit(peek(lexer, end))) {
        end++;
    }
    return finish_text(lexer, out, KAPPA_TOKEN_NAME, start, end);
}

static kappa_status_t
number_error(kappa_lexer_t *lexer, size_t at, const char *what)
{
    char buffer[16];

    return kappa_syntax_error(lexer->errors, lexer->source, at,
        "Invalid number, %s: %s.", what, describe(lexer, at, buffer));
}

static kappa_status_t
read_digits(kappa_lexer_t *lexer, size_t *at)
{
    if (!is_digit(peek(lexer, *at))) {
        return number_error(lexer, *at, "expected digit but got");
    }
    while (is_digit(peek(lexer, *at))) {
        ++*at;
    }
    return KAPPA_OK;
}

/* IntegerPart :: -? (0 | NonZeroDigit Digit*) */
static kappa_status_t
read_integer_part(kappa_lexer_t *lexer, size_t *at)
{
    if (peek(lexer, *at) == '-') {
        ++*at;
    }
    if (peek(lexer, *at) != '0') {
        return read_digits(lexer, at);
    }
    ++*at;
    if (is_digit(peek(lexer, *at))) {
        return number_error(lexer, *at, "unexpected digit after 0");
    }
    return KAPPA_OK;
}

/* FractionalPart? ExponentPart? */
static kappa_status_t
read_fraction(kappa_lexer_t *lexer, size_t *at)
{
    if (peek(lexer, *at) == '.') {
        ++*at;
        kappa_status_t status = read_digits(lexer, at);
        if (status != KAPPA_OK) {
            return status;
        }
    }
    if (peek(lexer, *at) == 'e' || peek(lexer, *at) == 'E') {
        ++*at;
        if (peek(lexer, *at) == '+' || peek(lexer, *at) == '-') {
            ++*at;
        }
        return read_digits(lexer, at);
    }
    return KAPPA_OK;
}

/* IntValue, FloatValue; neither may be followed by "." or NameStart. */
static kappa_status_t
read_number(kappa_lexer_t *lexer, size_t start, kappa_token_t *out)
{
    size_t at = start;
    kappa_status_t status = read_integer_part(lexer, &at);
    size_t integer_end = at;

    if (status == KAPPA_OK) {
        status = read_fraction(lexer, &at);
    }
    if (status != KAPPA_OK) {
        return status;
    }
    if (peek(lexer, at) == '.' || is_name_start(peek(lexer, at))) {
        return number_error(lexer, at, "expected digit but got");
    }
    return finish_text(lexer, out,
        at == integer_end ? KAPPA_TOKEN_INT : KAPPA_TOKEN_FLOAT, start, at);
}

static int
hex_value(int c)
{
    if (is_digit(c)) {
        return c - '0';
    } else if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

static bool
is_scalar_value(uint32_t c)
{
    return c < 0xd800 || (c >= 0xe000 && c <= 0x10ffff);
}

/* \u{ HexDigit+ }, eight digits at most. Gives its length, or 0. */
static size_t
read_braced_escape(const kappa_lexer_t *lexer, size_t at, uint32_t *point)
{
    uint32_t value = 0;

    for (size_t size = 3; size < 12; size++) {
        int c = peek(lexer, at + size);

        if (c == '}') {
            *point = value;
            return size > 3 && is_scalar_value(value) ? size + 1 : 0;
        }
        if (hex_value(c) < 0 || size == 11) {
            return 0;
        }
        value = value << 4 | (uint32_t)hex_value(c);
    }
    return 0;
}

static bool
read_hex4(const kappa_lexer_t *lexer, size_t at, uint32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = hex_value(peek(lexer, at + i));

        if (digit < 0) {
            return false;
        }
        *out = *out << 4 | (uint32_t)digit;
    }
    return true;
}

/* \uXXXX, or two of them that form a surrogate pair. Its length, or 0. */
static size_t
read_fixed_escape(const kappa_lexer_t *lexer, size_t at, uint32_t *point)
{
    uint32_t low;

    if (!read_hex4(lexer, at + 2, point)) {
        return 0;
    }
    if (is_scalar_value(*point)) {
        return 6;
    }
    if (*point <= 0xdbff && peek(lexer, at + 6) == '\\'
        && peek(lexer, at + 7) == 'u' && read_hex4(lexer, at + 8, &low)
        && low >= 0xdc00 && low <= 0xdfff) {
        *point = 0x10000 + ((*point - 0xd800) << 10) + (low - 0xdc00);
        return 12;
    }
    return 0;
}

static size_t
read_escape(const kappa_lexer_t *lexer, size_t at, uint32_t *point)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = peek(lexer, at + 1);

    if (c == 'u') {
        return peek(lexer, at + 2) == '{'
            ? read_braced_escape(lexer, at, point)
            : read_fixed_escape(lexer, at, point);
    }
    const char *found = c > 0 ? strchr(from, c) : NULL;
    if (found == NULL) {
        return 0;
    }
    *point = (uint32_t)to[found - from];
    return 2;
}

static char *
encode(char *p, uint32_t c)
{
    if (c < 0x80) {
        *p++ = (char)c;
    } else if (c < 0x800) {
        *p++ = (char)(0xc0 | c >> 6);
        *p++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *p++ = (char)(0xe0 | c >> 12);
        *p++ = (char)(0x80 | (c >> 6 & 0x3f));
        *p++ = (char)(0x80 | (c & 0x3f));
    } else {
        *p++ = (char)(0xf0 | c >> 18);
        *p++ = (char)(0x80 | (c >> 12 & 0x3f));
        *p++ = (char)(0x80 | (c >> 6 & 0x3f));
        *p++ = (char)(0x80 | (c & 0x3f));
    }
    return p;
}

static kappa_status_t
escape_error(kappa_lexer_t *lexer, size_t at)
{
    kappa_str_t text = lexer->source->text;
    size_t end = at + (peek(lexer, at + 1) == 'u' ? 6 : 2);

    if (end > text.len) {
        end = text.len;
    }
    while (end < text.len && ((unsigned char)text.data[end] & 0xc0) == 0x80) {
        end++;
    }
    return kappa_syntax_error(lexer->errors, lexer->source, at,
        "Invalid %s escape sequence: \"%.*s\".",
        peek(lexer, at + 1) == 'u' ? "Unicode" : "character", (int)(end - at),
        text.data + at);
}

/* Where the string that starts at `start` ends: checks every escape, and
 * tells whether there are any. */
static kappa_status_t
scan_string(kappa_lexer_t *lexer, size_t start, size_t *end, bool *escaped)
{
    uint32_t point;
    size_t at = start + 1;

    *escaped = false;
    for (;;) {
        int c = peek(lexer, at);

        if (c == '"') {
            *end = at;
            return KAPPA_OK;
        } else if (c == END || c == '\n' || c == '\r') {
            return kappa_syntax_error(
                lexer->errors, lexer->source, at, "Unterminated string.");
        } else if (c == '\\') {
            size_t size = read_escape(lexer, at, &point);

            if (size == 0) {
                return escape_error(lexer, at);
            }
            *escaped = true;
            at += size;
        } else {
            at++;
        }
    }
}

/* An escape is never shorter than what it stands for. */
static kappa_status_t
unescape(kappa_lexer_t *lexer, size_t start, size_t end, kappa_str_t *out)
{
    char *value = kappa_arena_bytes(lexer->arena, end - start);
    char *p = value;
    uint32_t point;

    if (value == NULL) {
        return KAPPA_NOMEM;
    }
    while (start < end) {
        if (lexer->source->text.data[start] == '\\') {
            start += read_escape(lexer, start, &point);
            p = encode(p, point);
        } else {
            *p++ = lexer->source->text.data[start++];
        }
    }
    *out = kappa_str(value, (size_t)(p - value));
    return KAPPA_OK;
}

static kappa_status_t
read_string(kappa_lexer_t *lexer, size_t start, kappa_token_t *out)
{
    size_t end = start;
    bool escaped = false;
    kappa_status_t status = scan_string(lexer, start, &end, &escaped);

    if (status != KAPPA_OK) {
        return status;
    }
    finish(lexer, out, KAPPA_TOKEN_STRING, start, end + 1);
    if (escaped) {
        return unescape(lexer, start + 1, end, &out->value);
    }
    out->value =
        kappa_str(lexer->source->text.data + start + 1, end - start - 1);
    return KAPPA_OK;
}

static bool
at_triple_quote(const kappa_lexer_t *lexer, size_t at)
{
    return peek(lexer, at) == '"' && peek(lexer, at + 1) == '"'
        && peek(lexer, at + 2) == '"';
}

static kappa_status_t
read_block_string(kappa_lexer_t *lexer, size_t start, kappa_token_t *out)
{
    size_t at = start + 3;

    while (!at_triple_quote(lexer, at)) {
        if (peek(lexer, at) == END) {
            return kappa_syntax_error(
                lexer->errors, lexer->source, at, "Unterminated string.");
        }
        at +=
            peek(lexer, at) == '\\' && at_triple_quote(lexer, at + 1) ? 4 : 1;
    }
    finish(lexer, out, KAPPA_TOKEN_BLOCK_STRING, start, at + 3);
    out->value = kappa_block_string_value(lexer->arena,
        kappa_str(lexer->source->text.data + start + 3, at - start - 3));
    return out->value.data ? KAPPA_OK : KAPPA_NOMEM;
}

static bool
is_byte_order_mark(const kappa_lexer_t *lexer, size_t at)
{
    return peek(lexer, at) == 0xef && peek(lexer, at + 1) == 0xbb
        && peek(lexer, at + 2) == 0xbf;
}

/* Ignored :: UnicodeBOM, WhiteSpace, LineTerminator, Comment, Comma */
static size_t
skip_ignored(const kappa_lexer_t *lexer, size_t at)
{
    for (;;) {
        int c = peek(lexer, at);

        if (c == ' ' || c == '\n' || c == ',' || c == '\t' || c == '\r') {
            at++;
        } else if (c == '#') {
            while (c != END && c != '\n' && c != '\r') {
                c = peek(lexer, ++at);
            }
        } else if (is_byte_order_mark(lexer, at)) {
            at += 3;
        } else {
            return at;
        }
    }
}

static kappa_status_t
unexpected_character(kappa_lexer_t *lexer, size_t at)
{
    char buffer[16];

    if (peek(lexer, at) == '\'') {
        return kappa_syntax_error(lexer->errors, lexer->source, at,
            "Unexpected single quote character ('), did you mean to use a "
            "double quote (\")?");
    }
    return kappa_syntax_error(lexer->errors, lexer->source, at,
        "Unexpected character: %s.", describe(lexer, at, buffer));
}

kappa_status_t
kappa_lexer_next(kappa_lexer_t *lexer, kappa_token_t *out)
{
    size_t at = skip_ignored(lexer, lexer->position);
    int c = peek(lexer, at);

    if (c == END) {
        return finish(lexer, out, KAPPA_TOKEN_EOF, at, at);
    } else if (is_name_start(c)) {
        return read_name(lexer, at, out);
    } else if (punctuators[c] != 0) {
        return finish(
            lexer, out, (kappa_token_kind_t)punctuators[c], at, at + 1);
    } else if (c == '.' && peek(lexer, at + 1) == '.'
        && peek(lexer, at + 2) == '.') {
        return finish(lexer, out, KAPPA_TOKEN_SPREAD, at, at + 3);
    } else if (is_digit(c) || c == '-') {
        return read_number(lexer, at, out);
    } else if (at_triple_quote(lexer, at)) {
        return read_block_string(lexer, at, out);
    } else if (c == '"') {
        return read_string(lexer, at, out);
    }
    return unexpected_character(lexer, at);
}
