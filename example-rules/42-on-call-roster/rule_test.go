package main

import (
	"strings"
	"testing"

	"ruledesk.local/sdk"
)

func TestDaysAreCountedAsTheDeskCountsThem(t *testing.T) {
	for text, want := range map[string]int{"1970-01-01": 0, "2024-02-29": 19782, "2026-01-05": 20458} {
		if got, ok := day(text); !ok || got != want {
			t.Error(text, got)
		}
	}
	if weekday(20458) != 1 || weekday(0) != 4 {
		t.Error(weekday(20458), weekday(0))
	}
}

func TestANightIsOneShift(t *testing.T) {
	night := shift{days: []int{7}, from: 22 * 60, to: 6 * 60, begins: 20458, weeks: 1, people: []string{"a", "b"}}
	sunday := 20458 + 6
	for _, at := range []struct{ day, minute int }{{sunday, 1380}, {sunday + 1, 0}, {sunday + 1, 359}} {
		if person, found := night.onCall(at.day, at.minute); !found || person != "a" {
			t.Error(at, person)
		}
	}
	if _, found := night.onCall(sunday, 359); found {
		t.Error("Saturday's night is nobody's")
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	problems := strings.Join(ruledesk.Ready(`{"priorities": ["p1"], "begins": "2026-01-06",
		"shifts": [{"name": "day", "team": "x", "days": ["moon"], "from": "8", "to": "18:00", "weeks": 0, "people": ["a"]}]}`), "\n")
	for _, part := range []string{"Monday", "`moon` is no day", "`from` has to be a time", "`weeks` has to be"} {
		if !strings.Contains(problems, part) {
			t.Error(part, "is not in", problems)
		}
	}
}
