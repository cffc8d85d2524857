#include "expr/lexer.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define INT_MAGNITUDE_MAX (UINT64_C(1) << 63)

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* '\0' behind the end. */
static char
at(const kappa_expr_compiler_t *c, size_t pos)
{
    return pos < c->text.len ? c->text.data[pos] : '\0';
}

/* Blanks, and comments from "//" to the line's end. */
static void
skip_blank(const kappa_expr_compiler_t *c, size_t *pos)
{
    while (*pos < c->text.len) {
        char b = c->text.data[*pos];

        if (b == '/' && at(c, *pos + 1) == '/') {
            while (*pos < c->text.len && at(c, *pos) != '\n') {
                (*pos)++;
            }
        } else if (b == ' ' || b == '\t' || b == '\n' || b == '\r'
            || b == '\f') {
            (*pos)++;
        } else {
            break;
        }
    }
}

static void
refuse(kappa_expr_compiler_t *c, kappa_expr_token_t *token, size_t offset,
    const char *message)
{
    kappa_expr_report(c, (uint32_t)offset, "%s", message);
    token->kind = KAPPA_EXPR_TOKEN_ERROR;
}

/* HEX = "0x" HEXDIGIT+ */
static void
lex_hex(kappa_expr_compiler_t *c, kappa_expr_token_t *token, size_t *pos)
{
    size_t start = *pos += 2;
    uint64_t v = 0;

    for (; kappa_hex_value(at(c, *pos)) >= 0; (*pos)++) {
        if (v >> 60 != 0) {
            refuse(c, token, token->offset, "Integer over 64 bits.");
            return;
        }
        v = v << 4 | (uint64_t)kappa_hex_value(at(c, *pos));
    }
    if (*pos == start) {
        refuse(c, token, *pos, "Expected a hexadecimal digit behind \"0x\".");
        return;
    }
    token->magnitude = v;
    if (v > INT_MAGNITUDE_MAX) {
        refuse(c, token, token->offset, "Integer over 64 bits.");
    }
}

static void
read_magnitude(kappa_expr_compiler_t *c, kappa_expr_token_t *token, size_t end)
{
    uint64_t v = 0;

    for (size_t i = token->offset; i < end; i++) {
        if (__builtin_mul_overflow(v, 10, &v)
            || __builtin_add_overflow(
                v, (uint64_t)(c->text.data[i] - '0'), &v)) {
            v = UINT64_MAX;
            break;
        }
    }
    token->magnitude = v;
    if (v > INT_MAGNITUDE_MAX) {
        refuse(c, token, token->offset, "Integer over 64 bits.");
    }
}

static void
read_double(kappa_expr_compiler_t *c, kappa_expr_token_t *token, size_t end)
{
    kappa_str_t digits = kappa_str_dup(c->arena,
        kappa_str(c->text.data + token->offset, end - token->offset));

    token->kind = KAPPA_EXPR_TOKEN_DOUBLE;
    if (digits.data == NULL) {
        c->status = KAPPA_NOMEM;
        token->kind = KAPPA_EXPR_TOKEN_ERROR;
        return;
    }
    token->number = strtod(digits.data, NULL);
    if (!isfinite(token->number)) {
        refuse(c, token, token->offset, "Number too large.");
    }
}

/* FLOAT = DIGIT* "." DIGIT+ EXPONENT? | DIGIT+ EXPONENT
 * EXPONENT = [eE] [+-]? DIGIT+ */
static void
lex_number(kappa_expr_compiler_t *c, kappa_expr_token_t *token, size_t *pos)
{
    bool real = false;

    token->kind = KAPPA_EXPR_TOKEN_INT;
    if (at(c, *pos) == '0' && (at(c, *pos + 1) | 0x20) == 'x') {
        lex_hex(c, token, pos);
    } else {
        while (is_digit(at(c, *pos))) {
            (*pos)++;
        }
        if (at(c, *pos) == '.' && is_digit(at(c, *pos + 1))) {
            real = true;
            do {
                (*pos)++;
            } while (is_digit(at(c, *pos)));
        }
        if ((at(c, *pos) | 0x20) == 'e') {
            char sign = at(c, *pos + 1);
            size_t skip = sign == '+' || sign == '-' ? 2 : 1;

            if (is_digit(at(c, *pos + skip))) {
                real = true;
                *pos += skip;
                while (is_digit(at(c, *pos))) {
                    (*pos)++;
                }
            }
        }
        if (real) {
            read_double(c, token, *pos);
        } else {
            read_magnitude(c, token, *pos);
        }
    }
    if (token->kind != KAPPA_EXPR_TOKEN_ERROR && is_letter(at(c, *pos))) {
        refuse(c, token, *pos,
            (at(c, *pos) | 0x20) == 'u'
                ? "Unsigned integers are not in the language."
                : "Expected an operator behind a number.");
    }
}

/* digits of base 8 or 16 from *pos; false: other characters. */
static bool
take_code(const kappa_expr_compiler_t *c, size_t *pos, unsigned digits,
    unsigned base, uint32_t *code)
{
    *code = 0;
    for (unsigned i = 0; i < digits; i++, (*pos)++) {
        int v = kappa_hex_value(at(c, *pos));

        if (v < 0 || (unsigned)v >= base) {
            return false;
        }
        *code = *code * base + (unsigned)v;
    }
    return true;
}

/* ESCAPE = \ [abfnrtv"'`\?] | \x HH | \u HHHH | \U HHHHHHHH | \ [0-3] OO
 * Moves *pos behind it; appends to p what it stands for, at most 4 bytes and
 * never more than were written. Returns their number, 0: not an escape. */
static size_t
resolve_escape(const kappa_expr_compiler_t *c, size_t *pos, char *p)
{
    static const char letters[] = "abfnrtv\"'`\\?";
    static const char means[] = "\a\b\f\n\r\t\v\"'`\\?";
    char letter = at(c, ++*pos);
    const char *simple = letter ? strchr(letters, letter) : NULL;
    uint32_t code;
    bool ok;

    if (simple != NULL) {
        (*pos)++;
        *p = means[simple - letters];
        return 1;
    }
    if (letter >= '0' && letter <= '3') {
        ok = take_code(c, pos, 3, 8, &code);
    } else {
        unsigned digits = (letter | 0x20) == 'x' ? 2
            : letter == 'u'                      ? 4
            : letter == 'U'                      ? 8
                                                 : 0;

        (*pos)++;
        ok = digits > 0 && take_code(c, pos, digits, 16, &code);
    }
    if (!ok || code == 0 || code > 0x10ffff
        || (code >= 0xd800 && code <= 0xdfff)) {
        return 0;
    }
    return kappa_utf8_put(p, code);
}

static bool
closes(const kappa_expr_compiler_t *c, size_t pos, char quote, bool triple)
{
    return at(c, pos) == quote
        && (!triple || (at(c, pos + 1) == quote && at(c, pos + 2) == quote));
}

/* STRING = [rR]? ( "…" | '…' | """…""" | '''…''' ); r: no escapes. *pos is at
 * the quote. */
static void
lex_string(
    kappa_expr_compiler_t *c, kappa_expr_token_t *token, size_t *pos, bool raw)
{
    char quote = at(c, *pos);
    bool triple = at(c, *pos + 1) == quote && at(c, *pos + 2) == quote;
    char *p = kappa_arena_bytes(c->arena, c->text.len - *pos + 4);
    size_t n = 0;

    token->kind = KAPPA_EXPR_TOKEN_STRING;
    if (p == NULL) {
        c->status = KAPPA_NOMEM;
        token->kind = KAPPA_EXPR_TOKEN_ERROR;
        return;
    }
    *pos += triple ? 3 : 1;
    while (!closes(c, *pos, quote, triple)) {
        char b = at(c, *pos);

        if (*pos >= c->text.len || (!triple && (b == '\n' || b == '\r'))) {
            refuse(c, token, token->offset, "String without end.");
            return;
        }
        if (b != '\\' || raw) {
            p[n++] = b;
            (*pos)++;
            continue;
        }
        size_t start = *pos;
        size_t bytes = resolve_escape(c, pos, p + n);
        if (bytes == 0) {
            refuse(c, token, start,
                "No such escape in a string: \\ goes with one of "
                "abfnrtv\\?\"'`, xHH, uHHHH, UHHHHHHHH or three octal "
                "digits, and never means NUL or a surrogate.");
            return;
        }
        n += bytes;
    }
    *pos += triple ? 3 : 1;
    token->string = kappa_str(p, n);
}

static void
lex_name(kappa_expr_compiler_t *c, kappa_expr_token_t *token, size_t *pos)
{
    token->kind = KAPPA_EXPR_TOKEN_NAME;
    while (is_letter(at(c, *pos)) || is_digit(at(c, *pos))) {
        (*pos)++;
    }
    char quote = at(c, *pos);
    if (quote != '"' && quote != '\'') {
        return;
    }
    char prefix = (char)(at(c, token->offset) | 0x20);
    if (*pos == token->offset + 1u && prefix == 'r') {
        lex_string(c, token, pos, true);
    } else {
        refuse(c, token, token->offset,
            prefix == 'b' ? "Bytes are not in the language."
                          : "Expected an operator before a string.");
    }
}

static void
lex_punct(kappa_expr_compiler_t *c, kappa_expr_token_t *token, size_t *pos)
{
    static const char *const two[] = { "<=", ">=", "==", "!=", "&&", "||" };
    kappa_str_t rest = kappa_str(c->text.data + *pos, c->text.len - *pos);

    token->kind = KAPPA_EXPR_TOKEN_PUNCT;
    for (size_t i = 0; i < sizeof(two) / sizeof(two[0]); i++) {
        if (kappa_str_starts_with(rest, kappa_str_c(two[i]))) {
            *pos += 2;
            return;
        }
    }
    unsigned char b = (unsigned char)rest.data[0];
    if (b != 0 && strchr("()[]{}.,?:!-+*/%<>", b) != NULL) {
        (*pos)++;
        return;
    }
    const char *message = b == '='
        ? "\"=\" is no operator: equality is \"==\"."
        : b == '&' ? "\"&\" is no operator: and is \"&&\"."
        : b == '|' ? "\"|\" is no operator: or is \"||\"."
                   : "Unexpected character: nothing in the language has it.";
    refuse(c, token, *pos, message);
}

kappa_expr_token_t
kappa_expr_lex(kappa_expr_compiler_t *c, size_t *pos)
{
    kappa_expr_token_t token = { .kind = KAPPA_EXPR_TOKEN_END };

    skip_blank(c, pos);
    token.offset = (uint32_t)*pos;
    if (*pos >= c->text.len) {
        return token;
    }
    char b = at(c, *pos);
    if (is_digit(b) || (b == '.' && is_digit(at(c, *pos + 1)))) {
        lex_number(c, &token, pos);
    } else if (is_letter(b)) {
        lex_name(c, &token, pos);
    } else if (b == '"' || b == '\'') {
        lex_string(c, &token, pos, false);
    } else {
        lex_punct(c, &token, pos);
    }
    token.text = kappa_str(c->text.data + token.offset, *pos - token.offset);
    return token;
}
