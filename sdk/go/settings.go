package ruledesk

import (
	"sort"
	"strconv"
	"strings"
)

// Settings is the `[settings]` table of the manifest. Each method notes a sentence for the admin where a setting is
// missing or wrong, so that an admin reads about all of them at once; the rule is then not activated.
type Settings struct {
	table    map[string]any
	asked    map[string]bool
	problems []string
}

// NewSettings are the settings of a table, or of a table in a table, as encoding/json would read it.
func NewSettings(table map[string]any) *Settings {
	return &Settings{table: table, asked: map[string]bool{}}
}

// Table is the table as it is, for settings that the methods cannot read: texts, float64, bool, []any, map[string]any.
func (s *Settings) Table() map[string]any {
	for name := range s.table {
		s.asked[name] = true
	}
	return s.table
}

// Problem notes a sentence for the admin.
func (s *Settings) Problem(sentence string) { s.problems = append(s.problems, sentence) }

// Problems are all sentences noted so far, and one for each setting that nobody has asked for.
func (s *Settings) Problems() []string {
	all := append([]string{}, s.problems...)
	var known, unknown []string
	for name := range s.asked {
		known = append(known, name)
	}
	for name := range s.table {
		if !s.asked[name] {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(known)
	sort.Strings(unknown)
	for _, name := range unknown {
		all = append(all, "`"+name+"` is no setting of this rule: it has "+strings.Join(known, ", ")+".")
	}
	return all
}

// Has says whether the setting is there.
func (s *Settings) Has(name string) bool {
	s.asked[name] = true
	_, there := s.table[name]
	return there
}

// Text is a text that is not empty.
func (s *Settings) Text(name string) string {
	text, ok := s.read(name, "a text").(string)
	if ok && strings.TrimSpace(text) != "" {
		return text
	}
	s.wrong(name, "a text")
	return ""
}

// Flag is true or false.
func (s *Settings) Flag(name string) bool {
	flag, ok := s.read(name, "true or false").(bool)
	if !ok {
		s.wrong(name, "true or false")
	}
	return flag
}

// Number is a number within these limits.
func (s *Settings) Number(name string, atLeast, atMost float64) float64 {
	what := "a number from " + decimal(atLeast) + " to " + decimal(atMost)
	number, ok := s.read(name, what).(float64)
	if ok && number >= atLeast && number <= atMost {
		return number
	}
	s.wrong(name, what)
	return 0
}

// Whole is a whole number within these limits.
func (s *Settings) Whole(name string, atLeast, atMost int) int {
	what := "a whole number from " + strconv.Itoa(atLeast) + " to " + strconv.Itoa(atMost)
	number, ok := s.read(name, what).(float64)
	if ok && number >= float64(atLeast) && number <= float64(atMost) && number == float64(int(number)) {
		return int(number)
	}
	s.wrong(name, what)
	return 0
}

// Texts is a list of texts, none of them empty, with at least one.
func (s *Settings) Texts(name string) []string {
	const what = "a list of texts with at least one of them"
	list, _ := s.read(name, what).([]any)
	var texts []string
	for _, item := range list {
		if text, ok := item.(string); ok && strings.TrimSpace(text) != "" {
			texts = append(texts, text)
		}
	}
	if len(texts) == 0 || len(texts) != len(list) {
		s.wrong(name, what)
		return nil
	}
	return texts
}

// Tables is a list of tables, each as settings of its own. Pass what they note on with Take.
func (s *Settings) Tables(name string) []*Settings {
	const what = "a list of tables with at least one of them"
	list, _ := s.read(name, what).([]any)
	var tables []*Settings
	for _, item := range list {
		if table, ok := item.(map[string]any); ok {
			tables = append(tables, NewSettings(table))
		}
	}
	if len(tables) == 0 || len(tables) != len(list) {
		s.wrong(name, what)
		return nil
	}
	return tables
}

// Take notes the problems of settings in these settings, each with words before it that tell where.
func (s *Settings) Take(where string, inner *Settings) {
	for _, problem := range inner.Problems() {
		s.Problem(where + ": " + problem)
	}
}

func (s *Settings) read(name, what string) any {
	if !s.Has(name) {
		s.Problem("`" + name + "` is missing: it has to be " + what + ".")
	}
	return s.table[name]
}

func (s *Settings) wrong(name, what string) {
	if _, there := s.table[name]; there {
		s.Problem("`" + name + "` has to be " + what + ".")
	}
}

func decimal(number float64) string { return strconv.FormatFloat(number, 'g', -1, 64) }
