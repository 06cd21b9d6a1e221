/* Any value of the contract as one text, and a text's digest. */
#ifndef CANONICAL_H
#define CANONICAL_H

#include "ruledesk.h"

/* A text that grows. */
typedef struct {
    rd_text text;
    size_t room;
} canonical;

void put_intake(canonical *to, const rd_intake_input_t *input);
void put_categorization(canonical *to, const rd_categorization_input_t *input);
void put_priority(canonical *to, const rd_priority_input_t *input);
void put_routing(canonical *to, const rd_routing_input_t *input);
void put_access(canonical *to, const rd_access_input_t *input);
void put_row(canonical *to, rd_tables_list_attribute_t row);
void put_number(canonical *to, double number);
void put_unsigned(canonical *to, uint64_t number);

/* 64-bit FNV-1a, in hexadecimal. */
rd_text digest(rd_text text);

#endif
