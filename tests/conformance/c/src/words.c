#include "words.h"

#include <stdlib.h>
#include <string.h>

static uint8_t *bytes(size_t count) {
    uint8_t *block = malloc(count + 1);
    if (!block) rd_trap("out of memory");
    return block;
}

rd_text lower(rd_text text) {
    rd_text out = { bytes(text.len), text.len };
    for (size_t at = 0; at < text.len; at++) {
        uint8_t byte = text.ptr[at];
        out.ptr[at] = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
    }
    return out;
}

static bool white(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

rd_text squeeze(rd_text text) {
    rd_text out = { bytes(text.len), 0 };
    for (size_t at = 0; at < text.len; at++) {
        if (!white(text.ptr[at])) out.ptr[out.len++] = text.ptr[at];
        else if (out.len && out.ptr[out.len - 1] != ' ') out.ptr[out.len++] = ' ';
    }
    if (out.len && out.ptr[out.len - 1] == ' ') out.len--;
    return out;
}

rd_text first_characters(rd_text text, size_t count, bool *cut) {
    size_t characters = 0, at = 0;
    for (; at < text.len; at++) {
        /* Every character begins with a byte that is not 10xxxxxx. */
        if ((text.ptr[at] & 0xc0) != 0x80 && characters++ == count) break;
    }
    *cut = at < text.len;
    return (rd_text){ text.ptr, at };
}

static rd_text two(unsigned number) {
    return number < 10 ? rd_fill("0{}", rd_number(number)) : rd_number(number);
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* Year, month and day of a day counted from 1970-01-01. The years are counted from March, in cycles of 400. */
static void civil(int64_t day, int64_t *year, unsigned *month, unsigned *of_month) {
    int64_t cycle = floor_div(day + 719468, 146097), of_cycle = day + 719468 - cycle * 146097;
    int64_t of_400 = (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / 146096) / 365;
    int64_t of_year = of_cycle - (365 * of_400 + of_400 / 4 - of_400 / 100), march = (5 * of_year + 2) / 153;
    *of_month = (unsigned)(of_year - (153 * march + 2) / 5 + 1);
    *month = (unsigned)(march < 10 ? march + 3 : march - 9);
    *year = of_400 + cycle * 400 + (*month <= 2);
}

rd_text clock_of(const rd_moment_t *now) {
    int64_t year;
    unsigned month, day;
    civil(now->local_day, &year, &month, &day);
    unsigned offset = (unsigned)(now->utc_offset < 0 ? -now->utc_offset : now->utc_offset);
    return rd_fill("{}-{}-{} {} {}:{} {}{}:{} {}", rd_number(year), two(month), two(day), rd_number(now->weekday),
                   two(now->minute_of_day / 60), two(now->minute_of_day % 60), rd_str(now->utc_offset < 0 ? "-" : "+"),
                   two(offset / 60), two(offset % 60), rd_str(now->in_business_hours ? "open" : "closed"));
}

int64_t drift(const rd_moment_t *now) {
    int64_t minutes = (int64_t)(now->at / 60000) + now->utc_offset;
    return now->minute_of_day - (minutes - floor_div(minutes, 1440) * 1440);
}

bool is_day(rd_text text) {
    if (text.len != 10) return false;
    unsigned numbers[3] = { 0 }, part = 0;
    for (size_t at = 0; at < 10; at++) {
        uint8_t byte = text.ptr[at];
        if (at == 4 || at == 7) {
            if (byte != '-') return false;
            part++;
        } else if (byte < '0' || byte > '9') {
            return false;
        } else {
            numbers[part] = numbers[part] * 10 + (byte - '0');
        }
    }
    static const unsigned DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned year = numbers[0], month = numbers[1], day = numbers[2];
    if (month < 1 || month > 12) return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day >= 1 && day <= DAYS[month - 1] + (month == 2 && leap);
}

bool has(rd_list_text_t list, rd_text text) {
    for (size_t n = 0; n < list.len; n++)
        if (rd_equal(list.ptr[n], text)) return true;
    return false;
}

void add(rd_list_text_t *list, rd_text text) {
    list->ptr = realloc(list->ptr, (list->len + 1) * sizeof *list->ptr);
    if (!list->ptr) rd_trap("out of memory");
    list->ptr[list->len++] = text;
}

void unite(rd_list_text_t *list, rd_list_text_t more) {
    for (size_t n = 0; n < more.len; n++)
        if (!has(*list, more.ptr[n])) add(list, more.ptr[n]);
}

static int by_bytes(const void *left, const void *right) {
    const rd_text *a = left, *b = right;
    size_t shorter = a->len < b->len ? a->len : b->len;
    int order = shorter ? memcmp(a->ptr, b->ptr, shorter) : 0;
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

rd_list_text_t sorted(rd_list_text_t list) {
    rd_list_text_t out = { 0 };
    for (size_t n = 0; n < list.len; n++) add(&out, list.ptr[n]);
    if (out.len) qsort(out.ptr, out.len, sizeof *out.ptr, by_bytes);
    return out;
}
