package main

import (
	"fmt"
	"slices"
	"strings"

	"ruledesk.local/sdk"
)

// lower changes A to Z alone.
func lower(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

func squeeze(text string) string {
	white := func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' }
	return strings.Join(strings.FieldsFunc(text, white), " ")
}

func united(lists ...[]string) []string {
	all := []string{}
	for _, list := range lists {
		for _, text := range list {
			if !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	return all
}

func clock(now ruledesk.Moment) string {
	year, month, day := civil(int(now.LocalDay))
	sign, offset := "+", int(now.UtcOffset)
	if offset < 0 {
		sign, offset = "-", -offset
	}
	state := "closed"
	if now.InBusinessHours {
		state = "open"
	}
	minute := int(now.MinuteOfDay)
	return fmt.Sprintf("%d-%02d-%02d %d %02d:%02d %s%02d:%02d %s", year, month, day, now.Weekday, minute/60, minute%60,
		sign, offset/60, offset%60, state)
}

func drift(now ruledesk.Moment) int64 {
	minutes := int64(now.At/60000) + int64(now.UtcOffset)
	return int64(now.MinuteOfDay) - ((minutes%1440)+1440)%1440
}

// civil is year, month and day of a day counted from 1970-01-01. The years are counted from March, in cycles of 400.
func civil(day int) (int, int, int) {
	const days = 146097
	fromMarch := day + 719468
	cycle := fromMarch / days
	if fromMarch < 0 && fromMarch%days != 0 {
		cycle--
	}
	ofCycle := fromMarch - cycle*days
	year := (ofCycle - ofCycle/1460 + ofCycle/36524 - ofCycle/146096) / 365
	ofYear := ofCycle - (365*year + year/4 - year/100)
	month := (5*ofYear + 2) / 153
	ofMonth := ofYear - (153*month+2)/5 + 1
	if month < 10 {
		return year + cycle*400, month + 3, ofMonth
	}
	return year + cycle*400 + 1, month - 9, ofMonth
}

func isDay(text string) bool {
	if len(text) != 10 {
		return false
	}
	numbers := [3]int{}
	part := 0
	for at := range len(text) {
		digit := text[at] - '0'
		switch {
		case at == 4 || at == 7:
			if text[at] != '-' {
				return false
			}
			part++
		case digit > 9:
			return false
		default:
			numbers[part] = numbers[part]*10 + int(digit)
		}
	}
	year, month, day := numbers[0], numbers[1], numbers[2]
	days := []int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		days[1] = 29
	}
	return month >= 1 && month <= 12 && day >= 1 && day <= days[month-1]
}
