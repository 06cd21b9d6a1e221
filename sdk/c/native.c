/* Stands in for the host in tests of a rule that run without WebAssembly: `make test`. */

#include "ruledesk.h"

#include <stdio.h>
#include <string.h>

void rd_log_write(rd_log_level_t level, rd_text *message) {
    (void)level;
    fprintf(stderr, "log: %.*s\n", (int)message->len, (const char *)message->ptr);
}

void rd_last_words_say(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h) {
    uint64_t words[8] = { a, b, c, d, e, f, g, h };
    fprintf(stderr, "%.*s", 64, (const char *)words);
}

/* No table has a row. */
bool rd_tables_lookup(rd_text *table, rd_text *key, rd_tables_list_attribute_t *row) {
    (void)table, (void)key, (void)row;
    return false;
}
