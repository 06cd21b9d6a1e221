package main

import (
	"slices"
	"strconv"
	"strings"

	"ruledesk.local/sdk"
)

// shift is a part of the week that people have in turn.
type shift struct {
	name, team string
	// Monday is 1.
	days []int
	// Minutes since midnight; the shift goes on over midnight where it ends before it begins.
	from, to int
	// The day on which the first person begins, counted from 1970-01-01.
	begins int
	weeks  int
	people []string
}

var dayNames = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

func readShift(given *ruledesk.Settings, begins int) shift {
	own := shift{
		name: given.Text("name"), team: given.Text("team"), begins: begins,
		weeks: given.Whole("weeks", 1, 52), people: given.Texts("people"),
	}
	for _, name := range given.Texts("days") {
		at := slices.Index(dayNames, name)
		if at < 0 {
			given.Problem("`" + name + "` is no day: use " + strings.Join(dayNames, ", ") + ".")
		}
		own.days = append(own.days, at+1)
	}
	own.from, own.to = readTime(given, "from"), readTime(given, "to")
	return own
}

func readTime(given *ruledesk.Settings, name string) int {
	text := given.Text(name)
	hours, minutes, _ := strings.Cut(text, ":")
	hour, ok := number(hours, 24)
	minute, fine := number(minutes, 60)
	if !ok || !fine || len(text) != 5 {
		given.Problem("`" + name + "` has to be a time, such as \"08:00\".")
	}
	return hour*60 + minute
}

func number(text string, below int) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && n < below
}

// onCall is who has the shift at a minute of a day, if it is on then.
func (s shift) onCall(today, minute int) (string, bool) {
	over := s.to <= s.from
	switch {
	case over && minute < s.to:
		// The morning belongs to the shift that began the day before.
		today--
	case minute < s.from || (!over && minute >= s.to):
		return "", false
	}
	if !slices.Contains(s.days, weekday(today)) || today < s.begins {
		return "", false
	}
	turn := (today - s.begins) / 7 / s.weeks
	return s.people[turn%len(s.people)], true
}

// weekday is 1 for Monday; 1970-01-01 was a Thursday.
func weekday(day int) int { return ((day+3)%7+7)%7 + 1 }

// day counts the days from 1970-01-01 to a date such as 2026-01-05.
func day(text string) (int, bool) {
	parts := strings.Split(text, "-")
	if len(parts) != 3 || len(text) != 10 {
		return 0, false
	}
	year, ok := number(parts[0], 10000)
	month, fine := number(parts[1], 13)
	of, good := number(parts[2], 32)
	if !ok || !fine || !good || month == 0 || of == 0 {
		return 0, false
	}
	// Years begin in March here, so that a leap day is a year's last.
	if month < 3 {
		year, month = year-1, month+12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + of - 1 - 719468, true
}
