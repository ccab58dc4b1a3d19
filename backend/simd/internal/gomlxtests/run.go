package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/gomlx/compute"
)

// outcomes are verdicts by test, "core/graph TestDot/ENGINE/Product".
type outcomes map[string]outcome

// outcome is what became of a test.
type outcome struct {
	verdict string // PASS, SKIP or FAIL
	output  string // of the run in which it failed
}

// event is a line of a test program that begins or ends a test; the program marks such lines.
var event = regexp.MustCompile(`\x16 *(?:=== RUN +(.+)|--- (PASS|SKIP|FAIL): (.+) \(.*\))`)

// ending is what a test program prints last that ran to its end and in which something failed.
var ending = regexp.MustCompile(`(?m)^\x16?FAIL\s*$`)

// run runs every test on an engine, or those that more flags leave. A panic ends a test program: what it had not come to is run by another one.
func (p program) run(engine string, short bool, all outcomes, more ...string) error {
	var done []string // tests at the top
	for {
		args := []string{"-test.v=test2json", "-test.timeout=10m", fmt.Sprintf("-test.short=%t", short)}
		args = append(args, more...)
		if len(done) > 0 {
			args = append(args, "-test.skip=^("+strings.Join(done, "|")+")$")
		}
		cmd := exec.Command(p.file, args...)
		cmd.Dir = p.dir
		cmd.Env = append(os.Environ(), compute.ConfigEnvVar+"="+engine)
		out, err := cmd.CombinedOutput()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			return err
		}
		before := len(done)
		whole := err == nil || ending.Match(out)
		for test, verdict := range verdicts(string(out)) {
			if !strings.Contains(test, "/") {
				done = append(done, test)
			}
			o := outcome{verdict: verdict}
			if verdict == "FAIL" {
				o.output = string(out)
			}
			all[p.name+" "+strings.ReplaceAll(test, engine, "ENGINE")] = o
		}
		if whole {
			return nil
		}
		if len(done) == before {
			return fmt.Errorf("%s on %s ends before any test does: %w\n%s", p.name, engine, err, out)
		}
		slices.Sort(done)
	}
}

// verdicts reads a test program's output. A test that began and did not end has failed.
func verdicts(out string) map[string]string {
	all := map[string]string{}
	for _, m := range event.FindAllStringSubmatch(out, -1) {
		if m[1] != "" {
			all[m[1]] = "FAIL"
		} else {
			all[m[3]] = m[2]
		}
	}
	return all
}
