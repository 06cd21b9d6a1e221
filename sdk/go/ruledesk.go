// Package ruledesk is what a rule of RuleDesk in Go is written with: the words of the contract, the settings, the
// record's log and the reference tables. The packages below it, one a stage, take the rule's functions.
package ruledesk

var configure func(*Settings)

// Configure names the function that reads the rule's settings. Call it in an init function or in a variable's
// initialiser. The function is called once, before the first decision, and must depend on nothing but the settings.
func Configure(read func(*Settings)) struct{} {
	configure = read
	return struct{}{}
}

func configured(text string) []string {
	given, err := parse(text)
	if err != nil {
		return []string{"The settings are not JSON: " + err.Error() + "."}
	}
	table, ok := given.(map[string]any)
	if !ok {
		return []string{"The settings have to be a table."}
	}
	settings := NewSettings(table)
	if configure != nil {
		configure(settings)
	}
	return settings.Problems()
}

// Failure is an error that is just its text.
type Failure string

func (f Failure) Error() string { return string(f) }

// Some is a value that is there, for the fields that may be nil.
func Some[T any](value T) *T { return &value }

// Or is the value, or another where it is nil.
func Or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

// Row is a row of a reference table, its columns in order.
type Row []Attribute

// Get is the text of a column, empty if there is none of that name.
func (r Row) Get(column string) string {
	for _, attribute := range r {
		if attribute.Name == column {
			return attribute.Value
		}
	}
	return ""
}

// Lookup is the row of a reference table with this key. The manifest has to name the table under `tables`; the decision's
// record shows each look-up.
func Lookup(table, key string) (Row, bool) {
	row, found := look(table, key)
	return row, found
}

// Debug adds a line to the decision's record, for those who work on the rule.
func Debug(line string) { writeLog(0, line) }

// Info adds a line to the decision's record.
func Info(line string) { writeLog(1, line) }

// Warn adds a line to the decision's record about something odd.
func Warn(line string) { writeLog(2, line) }

// Error adds a line to the decision's record about something that went wrong.
func Error(line string) { writeLog(3, line) }
