//go:build !wasip1

package ruledesk

// What stands in for the host under plain `go test`.

// Logged has the lines that rules have written to the record since the process began.
var Logged []string

// Tables has the reference tables by name, the rows of each by key. Tests fill it.
var Tables = map[string]map[string]Row{}

func writeLog(_ uint32, text string) { Logged = append(Logged, text) }

func look(table, key string) ([]Attribute, bool) {
	rows, known := Tables[table]
	if !known {
		panic("there is no table `" + table + "`: put it into ruledesk.Tables")
	}
	row, found := rows[key]
	return row, found
}

// Ready gives a rule its settings, such as `{"words": ["printer"]}`, and returns the sentences that an admin would read
// about them: none if they are right.
func Ready(json string) []string { return configured(json) }
