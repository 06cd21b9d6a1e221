/* The settings as a tree: RFC 8259, read once by `configure`. Memory is the arena's, so nothing is ever freed. */

#include "ruledesk.h"

#include <stdlib.h>
#include <string.h>

/* Deeper than any settings; each level costs a frame of the small stack. */
#define DEPTH_MAX 64

typedef struct {
    const char *at;
    const char *end;
} reader;

static const rd_json NOTHING = { .kind = RD_NULL };

static void skip_space(reader *r) {
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r')) r->at++;
}

static bool take(reader *r, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length) != 0) return false;
    r->at += length;
    return true;
}

static size_t put_utf8(char *to, uint32_t code) {
    if (code < 0x80) { to[0] = (char)code; return 1; }
    if (code < 0x800) { to[0] = (char)(0xc0 | code >> 6); to[1] = (char)(0x80 | (code & 63)); return 2; }
    if (code < 0x10000) {
        to[0] = (char)(0xe0 | code >> 12);
        to[1] = (char)(0x80 | (code >> 6 & 63));
        to[2] = (char)(0x80 | (code & 63));
        return 3;
    }
    to[0] = (char)(0xf0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 63));
    to[2] = (char)(0x80 | (code >> 6 & 63));
    to[3] = (char)(0x80 | (code & 63));
    return 4;
}

static bool hex4(reader *r, uint32_t *code) {
    if (r->end - r->at < 4) return false;
    *code = 0;
    for (int n = 0; n < 4; n++) {
        char c = *r->at++;
        uint32_t digit = c >= '0' && c <= '9' ? (uint32_t)(c - '0')
                       : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                       : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10) : 16;
        if (digit == 16) return false;
        *code = *code << 4 | digit;
    }
    return true;
}

static bool read_escape(reader *r, char *out, size_t *length) {
    if (r->at == r->end) return false;
    char c = *r->at++;
    const char *plain = "\"\\/bfnrt";
    const char *stands_for = "\"\\/\b\f\n\r\t";
    const char *found = c == 0 ? NULL : strchr(plain, c);
    if (found) { out[(*length)++] = stands_for[found - plain]; return true; }
    uint32_t code, low;
    if (c != 'u' || !hex4(r, &code)) return false;
    if (code >= 0xd800 && code < 0xdc00) {
        if (!take(r, "\\u") || !hex4(r, &low) || low < 0xdc00 || low > 0xdfff) return false;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
        return false;
    }
    *length += put_utf8(out + *length, code);
    return true;
}

static bool read_text(reader *r, rd_text *text) {
    if (!take(r, "\"")) return false;
    /* What is written is never shorter than what it stands for. */
    char *out = malloc((size_t)(r->end - r->at) + 1);
    size_t length = 0;
    while (r->at < r->end && *r->at != '"') {
        if ((unsigned char)*r->at < 0x20) return false;
        if (*r->at != '\\') { out[length++] = *r->at++; continue; }
        r->at++;
        if (!read_escape(r, out, &length)) return false;
    }
    out[length] = 0;
    *text = (rd_text){ (uint8_t *)out, length };
    /* The rest of the block goes back: it is the last one. */
    text->ptr = realloc(out, length + 1);
    return take(r, "\"");
}

/* Ten to a power, for numbers as people write them. */
static double scaled(double number, int exponent) {
    double power = 10, factor = 1;
    for (unsigned n = (unsigned)(exponent < 0 ? -exponent : exponent); n; n >>= 1, power *= power)
        if (n & 1) factor *= power;
    return exponent < 0 ? number / factor : number * factor;
}

/* Exact for numbers of up to 15 digits whose exponent is at most 22, which is what settings have. */
static bool read_number(reader *r, rd_json *value) {
    bool negative = take(r, "-");
    uint64_t whole = 0;
    int exponent = 0, seen = 0;
    const char *from = r->at;
    for (bool fraction = false; r->at < r->end; r->at++) {
        char c = *r->at;
        if (c == '.' && !fraction && seen) { fraction = true; seen = 0; continue; }
        if (c < '0' || c > '9') break;
        seen++;
        if (whole < UINT64_MAX / 10 - 9) { whole = whole * 10 + (uint64_t)(c - '0'); exponent -= fraction; }
        else exponent += !fraction;
    }
    bool leading_zero = r->at - from > 1 && *from == '0' && from[1] >= '0' && from[1] <= '9';
    if (!seen || leading_zero) return false;
    if (take(r, "e") || take(r, "E")) {
        bool down = !take(r, "+") && take(r, "-");
        int given = 0, count = 0;
        for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++, count++)
            if (given < 10000) given = given * 10 + (*r->at - '0');
        if (!count) return false;
        exponent += down ? -given : given;
    }
    value->kind = RD_NUMBER;
    value->number = scaled((double)whole, exponent < -400 ? -400 : exponent > 400 ? 400 : exponent);
    if (negative) value->number = -value->number;
    return true;
}

static bool read_value(reader *r, rd_json *value, int depth);

static bool read_items(reader *r, rd_json *value, bool keyed, int depth) {
    const char *close = keyed ? "}" : "]";
    value->kind = keyed ? RD_OBJECT : RD_LIST;
    skip_space(r);
    if (take(r, close)) return true;
    size_t room = 0;
    for (;;) {
        if (value->count == room) {
            size_t more = room ? room * 2 : 4;
            value->items = realloc(value->items, more * sizeof *value->items);
            value->keys = keyed ? realloc(value->keys, more * sizeof *value->keys) : NULL;
            room = more;
        }
        skip_space(r);
        if (keyed) {
            if (!read_text(r, &value->keys[value->count])) return false;
            skip_space(r);
            if (!take(r, ":")) return false;
        }
        value->items[value->count] = NOTHING;
        if (!read_value(r, &value->items[value->count], depth + 1)) return false;
        value->count++;
        skip_space(r);
        if (take(r, close)) return true;
        if (!take(r, ",")) return false;
    }
}

static bool read_value(reader *r, rd_json *value, int depth) {
    if (depth > DEPTH_MAX) return false;
    skip_space(r);
    if (take(r, "null")) return true;
    if (take(r, "true")) { value->kind = RD_FLAG; value->flag = true; return true; }
    if (take(r, "false")) { value->kind = RD_FLAG; return true; }
    if (take(r, "[")) return read_items(r, value, false, depth);
    if (take(r, "{")) return read_items(r, value, true, depth);
    if (r->at < r->end && *r->at == '"') { value->kind = RD_TEXT; return read_text(r, &value->text); }
    return read_number(r, value);
}

const rd_json *rd_json_read(rd_text text) {
    const char *from = (const char *)text.ptr;
    reader r = { from, from + text.len };
    rd_json *value = malloc(sizeof *value);
    *value = NOTHING;
    if (!read_value(&r, value, 0)) return NULL;
    skip_space(&r);
    return r.at == r.end ? value : NULL;
}

const rd_json *rd_get(const rd_json *object, const char *key) {
    for (size_t n = 0; object && object->kind == RD_OBJECT && n < object->count; n++)
        if (rd_is(object->keys[n], key)) return &object->items[n];
    return &NOTHING;
}
