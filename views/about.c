#include "views/about.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#define MAGIC "kappa views 1"

void
kappa_digest_of(kappa_str_t text, char out[KAPPA_DIGEST_CHARS + 1])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)text.data, text.len, digest);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    }
}

static kappa_str_t
take_line(kappa_str_t *rest)
{
    const char *at = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    size_t len = at ? (size_t)(at - rest->data) : rest->len;
    size_t skip = at ? len + 1 : len;
    kappa_str_t line = kappa_str(rest->data, len);

    *rest = kappa_str(rest->data + skip, rest->len - skip);
    return line;
}

static int
nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
        : c >= 'a' && c <= 'f'  ? c - 'a' + 10
                                : -1;
}

static bool
read_hex(kappa_str_t s, uint8_t *out, size_t n)
{
    if (s.len != 2 * n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        int high = nibble(s.data[2 * i]), low = nibble(s.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* What follows `word` and a space. */
static bool
take_word(kappa_str_t *text, kappa_str_t word, kappa_str_t *rest)
{
    kappa_str_t line = take_line(text);

    if (!kappa_str_starts_with(line, word) || line.len <= word.len
        || line.data[word.len] != ' ') {
        return false;
    }
    *rest = kappa_str(line.data + word.len + 1, line.len - word.len - 1);
    return true;
}

/* Of the schema's text, for people; it was something else once. */
static bool
take_digest(kappa_str_t *text)
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    kappa_str_t was = *text, word;

    if (take_word(text, KAPPA_STR("digest"), &word)) {
        return read_hex(word, digest, sizeof digest);
    }
    *text = was;
    return take_word(text, KAPPA_STR("projections"), &word)
        && read_hex(word, digest, sizeof digest);
}

bool
kappa_about_parse(kappa_str_t text, kappa_about_t *out)
{
    kappa_str_t word;
    int64_t revision;

    if (text.len == 0 || text.data[text.len - 1] != '\n'
        || !kappa_str_eq_c(take_line(&text), MAGIC)
        || !take_word(&text, KAPPA_STR("epoch"), &word)
        || !kappa_epoch_parse(word, &out->epoch)
        || !take_word(&text, KAPPA_STR("revision"), &word)
        || !kappa_str_to_int64(word, &revision) || revision < 1
        || revision > UINT32_MAX || !take_digest(&text)
        || !take_word(&text, KAPPA_STR("schema"), &out->schema_name)) {
        return false;
    }
    out->revision = (uint32_t)revision;
    return text.len == 0;
}

bool
kappa_about_is_newer(kappa_str_t text)
{
    kappa_str_t version;
    int64_t number;

    return take_word(&text, KAPPA_STR("kappa views"), &version)
        && kappa_str_to_int64(version, &number) && number > 1;
}

void
kappa_about_write(
    kappa_buf_t *buf, const kappa_about_t *about, kappa_str_t text)
{
    char digest[KAPPA_DIGEST_CHARS + 1];

    kappa_digest_of(text, digest);
    kappa_buf_printf(buf, MAGIC "\nepoch %s\nrevision %u\ndigest %s\nschema ",
        about->epoch.name, about->revision, digest);
    for (size_t i = 0; i < about->schema_name.len && i < 1024; i++) {
        char c = about->schema_name.data[i];
        kappa_buf_char(buf, c == '\n' ? '?' : c);
    }
    kappa_buf_char(buf, '\n');
}
