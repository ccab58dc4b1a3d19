package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// A finding is one thing that was looked at.
type finding struct {
	Subject string `json:"subject"`
	State   state  `json:"state"`
	Text    string `json:"text"`             // what was found
	Advice  string `json:"advice,omitempty"` // what to do about it
}

// A state says how good it is.
type state string

const (
	stateOK    state = "ok"
	stateNote  state = "note"  // works, but could be better, or is not known
	stateFault state = "fault" // does not work
)

// A checkup collects findings.
type checkup struct {
	findings []finding
	engines  []string // those that can be opened here
}

func (c *checkup) ok(subject, format string, args ...any) {
	c.findings = append(c.findings, finding{subject, stateOK, fmt.Sprintf(format, args...), ""})
}

func (c *checkup) note(subject, advice, format string, args ...any) {
	c.findings = append(c.findings, finding{subject, stateNote, fmt.Sprintf(format, args...), advice})
}

func (c *checkup) fault(subject, advice string, err error) {
	c.findings = append(c.findings, finding{subject, stateFault, err.Error(), advice})
}

// faults counts what does not work.
func (c *checkup) faults() int {
	n := 0
	for _, f := range c.findings {
		if f.State == stateFault {
			n++
		}
	}
	return n
}

func newDoctor() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor [MODEL...]",
		Short: "See whether this machine, this program and a model are all right",
		Long: `Doctor looks at the processor and which kernels the engine has chosen for it, at the engines that are linked in, at memory and the cache of models, and tests the program
against answers that are known: a drawn scene's objects must be found, and the model in the box must answer about them, the same on every engine.

Of a model (a directory, a name on the hub, or a file of weights) it looks whether everything is there and belongs together: configuration, weights, tokenizer, answer table,
the preset of its regions; whether every weight is a finite number; and whether it computes.

The exit code is 1 if anything is at fault.`,
		Example: `  lxmert doctor
  lxmert doctor lxmert-vqa`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var c checkup
			c.program()
			c.processor()
			c.precisions()
			c.memory()
			c.cache()
			c.selfTest(cmd.Context())
			for _, path := range args {
				dir, err := modelDir(cmd, path)
				if err != nil {
					c.fault(path, "", err)
					continue
				}
				c.model(cmd.Context(), dir)
			}
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			return c.print(cmd.OutOrStdout(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (c *checkup) print(w io.Writer, asJSON bool) error {
	var err error
	if asJSON {
		err = printJSON(w, struct {
			Findings []finding `json:"findings"`
			Faults   int       `json:"faults"`
		}{c.findings, c.faults()})
	} else {
		err = c.list(w)
	}
	if n := c.faults(); err == nil && n > 0 {
		err = fmt.Errorf("%d of %d things are at fault", n, len(c.findings))
	}
	return err
}

func (c *checkup) list(w io.Writer) error {
	width := 0
	for _, f := range c.findings {
		width = max(width, len(f.Subject))
	}
	for _, f := range c.findings {
		indent := strings.Repeat(" ", len("fault  ")+width+2)
		text := strings.ReplaceAll(f.Text, "\n", "\n"+indent)
		if f.Advice != "" {
			text += "\n" + indent + "→ " + f.Advice
		}
		if _, err := fmt.Fprintf(w, "%-5s  %-*s  %s\n", f.State, width, f.Subject, text); err != nil {
			return err
		}
	}
	return nil
}
