package main

import (
	"strconv"

	"ruledesk.local/sdk"
)

type settings struct {
	words                        []string
	category, level, team, table string
	factor                       float64
	bodyMax, maxHours            int
	trace                        bool
}

var set settings

func configure(given *ruledesk.Settings) {
	table := given.Table()
	must := func(good bool, name, what string) {
		if !good {
			given.Problem("`" + name + "` must be " + what)
		}
	}
	text := func(name string) string {
		text, _ := table[name].(string)
		must(text != "", name, "a text, not empty")
		return text
	}
	whole := func(name string, most int) int {
		number, ok := table[name].(float64)
		good := ok && number >= 1 && number <= float64(most) && number == float64(int(number))
		must(good, name, "a whole number from 1 to "+strconv.Itoa(most))
		if !good {
			return 0
		}
		return int(number)
	}
	set = settings{}
	list, _ := table["words"].([]any)
	for _, item := range list {
		if word, _ := item.(string); word != "" {
			set.words = append(set.words, lower(word))
		}
	}
	must(len(list) > 0 && len(set.words) == len(list), "words", "a list of texts, none of them empty")
	set.category, set.level, set.team, set.table = text("category"), text("level"), text("team"), text("table")
	factor, ok := table["factor"].(float64)
	set.factor = factor
	must(ok, "factor", "a number")
	set.bodyMax, set.maxHours = whole("body-max", 1000), whole("max-hours", 8784)
	trace, isFlag := table["trace"].(bool)
	_, there := table["trace"]
	set.trace = trace
	must(isFlag || !there, "trace", "true or false")
}
