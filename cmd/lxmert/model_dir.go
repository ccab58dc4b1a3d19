package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/hub"
)

// modelDir is the directory of a model that a flag names: the flag's value if it is there, or else that of the model of this name, ORG/NAME or
// ORG/NAME@REVISION, which is downloaded if need be. Nothing given is nothing.
func modelDir(cmd *cobra.Command, value string) (string, error) {
	found, err := findModel(cmd, value, hub.Options{})
	return found.Dir, err
}

// modelAndLabels is [modelDir] for a verb with --labels: of a model that does not say what its answers are, but whose answers are known, it gives the file
// that has them.
func modelAndLabels(cmd *cobra.Command, value, labels string) (dir, table string, err error) {
	found, err := findModel(cmd, value, hub.Options{})
	if err != nil {
		return "", "", err
	}
	table, err = tableOf(found, labels)
	return found.Dir, table, err
}

// tableOf is the file of a model's answers: what is given, or what is known of a model that does not say it itself; empty where it does.
func tableOf(found *hub.Snapshot, given string) (string, error) {
	if given != "" || found.Labels == "" {
		return given, nil
	}
	own, err := lxmert.DirectoryLabels(found.Dir)
	if errors.Is(err, lxmert.ErrNoLabels) || err == nil && placeholders(own) {
		return found.Labels, nil
	}
	return "", err
}

// findModel shows the download's progress.
func findModel(cmd *cobra.Command, value string, o hub.Options) (*hub.Snapshot, error) {
	if value == "" {
		return &hub.Snapshot{}, nil
	}
	show := newPulling(cmd.ErrOrStderr())
	defer show.line.leave()
	o.Progress, o.Note = show.set, show.note
	found, err := hub.Find(cmd.Context(), value, o)
	if err != nil {
		return &hub.Snapshot{}, err
	}
	return found, nil
}

// pulling shows a download: on a terminal in a line that lives, elsewhere in one line for each large file.
type pulling struct {
	line  *liveLine
	out   io.Writer
	start time.Time
	first int64 // bytes that were there before
	named map[string]bool
}

// largeFile is from how many bytes on a file is named where there is no terminal.
const largeFile = 10 << 20

func newPulling(out io.Writer) *pulling {
	return &pulling{line: newLiveLine(out), out: out, named: map[string]bool{}}
}

func (p *pulling) note(text string) { p.line.say("lxmert: " + text) }

func (p *pulling) set(at hub.Progress) {
	if !p.line.live() {
		if at.Of >= largeFile && at.Done < at.Of && !p.named[at.File] {
			p.named[at.File] = true
			fmt.Fprintf(p.out, "lxmert: downloading %s, %s MB\n", at.File, megabytes(at.Of))
		}
		return
	}
	now := time.Now()
	if p.start.IsZero() {
		p.start, p.first = now, at.AllDone
	}
	if !p.line.due(now) && at.AllDone < at.All {
		return
	}
	p.line.draw(now, p.text(at, now.Sub(p.start)))
}

// text says how far a file is and, if there are several, all of them; and how long it will take.
func (p *pulling) text(at hub.Progress, spent time.Duration) string {
	text := fmt.Sprintf("%s: %s of %s MB", at.File, megabytes(at.Done), megabytes(at.Of))
	if at.All > at.Of {
		text += fmt.Sprintf(", in all %s of %s MB", megabytes(at.AllDone), megabytes(at.All))
	}
	if got := at.AllDone - p.first; got > 0 && spent > 2*time.Second && at.AllDone < at.All {
		left := time.Duration(float64(spent) / float64(got) * float64(at.All-at.AllDone))
		text += fmt.Sprintf(", %.1f MB a second, %s left", float64(got)/1e6/spent.Seconds(), short(left))
	}
	return text
}

// megabytes has one decimal.
func megabytes(n int64) string { return fmt.Sprintf("%.1f", float64(n)/1e6) }
