package ruledesk

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A small reader of JSON: the settings come from the desk, and encoding/json would double the component's size.
type reader struct {
	text string
	at   int
}

func parse(text string) (any, error) {
	r := &reader{text: text}
	value, err := r.value(0)
	if err == nil && r.next() != 0 {
		err = r.wrong()
	}
	return value, err
}

func (r *reader) wrong() error { return Failure("byte " + strconv.Itoa(r.at) + " is not expected") }

// next is the byte after white space, 0 at the end.
func (r *reader) next() byte {
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.at]) >= 0 {
		r.at++
	}
	if r.at == len(r.text) {
		return 0
	}
	return r.text[r.at]
}

func (r *reader) take(c byte) bool {
	if r.next() != c {
		return false
	}
	r.at++
	return true
}

func (r *reader) value(depth int) (any, error) {
	if depth > 200 {
		return nil, Failure("it is nested too deeply")
	}
	switch c := r.next(); {
	case c == '{':
		return r.table(depth)
	case c == '[':
		return r.list(depth)
	case c == '"':
		return r.quoted()
	case c == '-' || (c >= '0' && c <= '9'):
		from := r.at
		for r.at < len(r.text) && strings.IndexByte("+-.eE0123456789", r.text[r.at]) >= 0 {
			r.at++
		}
		number, err := strconv.ParseFloat(r.text[from:r.at], 64)
		if err != nil {
			return nil, r.wrong()
		}
		return number, nil
	}
	for word, value := range map[string]any{"true": true, "false": false, "null": nil} {
		if strings.HasPrefix(r.text[r.at:], word) {
			r.at += len(word)
			return value, nil
		}
	}
	return nil, r.wrong()
}

func (r *reader) table(depth int) (any, error) {
	r.at++
	table := map[string]any{}
	for !r.take('}') {
		if len(table) > 0 && !r.take(',') {
			return nil, r.wrong()
		}
		if r.next() != '"' {
			return nil, r.wrong()
		}
		name, err := r.quoted()
		if err != nil {
			return nil, err
		}
		if !r.take(':') {
			return nil, r.wrong()
		}
		if table[name], err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return table, nil
}

func (r *reader) list(depth int) (any, error) {
	r.at++
	list := []any{}
	for !r.take(']') {
		if len(list) > 0 && !r.take(',') {
			return nil, r.wrong()
		}
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	return list, nil
}

func (r *reader) quoted() (string, error) {
	r.at++
	var out []byte
	for r.at < len(r.text) {
		c := r.text[r.at]
		r.at++
		switch {
		case c == '"':
			return string(out), nil
		case c != '\\':
			out = append(out, c)
		default:
			var err error
			if out, err = r.escaped(out); err != nil {
				return "", err
			}
		}
	}
	return "", r.wrong()
}

func (r *reader) escaped(out []byte) ([]byte, error) {
	if r.at == len(r.text) {
		return nil, r.wrong()
	}
	c := r.text[r.at]
	r.at++
	if at := strings.IndexByte(`"\/bfnrt`, c); at >= 0 {
		return append(out, "\"\\/\b\f\n\r\t"[at]), nil
	}
	high, err := r.unit(c)
	if err != nil {
		return nil, err
	}
	if high >= 0xd800 && high < 0xdc00 && strings.HasPrefix(r.text[r.at:], `\u`) {
		r.at += 2
		low, err := r.unit('u')
		if err != nil {
			return nil, err
		}
		high = 0x10000 + (high-0xd800)<<10 + (low - 0xdc00)
	}
	return utf8.AppendRune(out, high), nil
}

func (r *reader) unit(c byte) (rune, error) {
	if c != 'u' || r.at+4 > len(r.text) {
		return 0, r.wrong()
	}
	unit, err := strconv.ParseUint(r.text[r.at:r.at+4], 16, 16)
	if err != nil {
		return 0, r.wrong()
	}
	r.at += 4
	return rune(unit), nil
}
