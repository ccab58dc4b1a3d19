package main

import (
	"fmt"
	"io"
	"time"

	"github.com/go-lxmert/lxmert/data/extract"
)

// An extractProgress shows how an extraction is going: on a terminal a line that changes, elsewhere a line now and then; in both the first bad pictures.
type extractProgress struct {
	line  *liveLine
	now   func() time.Time
	start time.Time
	said  time.Time
	bad   int
}

// shownFaults is how many bad pictures are named on the way; the report has them all.
const shownFaults = 10

func newExtractProgress(out io.Writer, now func() time.Time) *extractProgress {
	return &extractProgress{line: newLiveLine(out), now: now, start: now(), said: now()}
}

// set takes note of a picture.
func (p *extractProgress) set(at extract.Progress) {
	now := p.now()
	switch {
	case p.line.live():
		if p.line.due(now) || at.All && at.Done() == at.Of {
			p.line.draw(now, p.text(at, now))
		}
	case now.Sub(p.said) >= plainEvery:
		p.said = now
		p.line.say(p.text(at, now))
	}
}

// text says how far it is and how fast; pictures that were there before cost no time and do not count for that.
func (p *extractProgress) text(at extract.Progress, now time.Time) string {
	done := at.Done()
	text := "pictures: " + grouped(done)
	if at.All {
		text += " of " + grouped(at.Of)
	}
	worked, spent := at.Added+at.Failed, now.Sub(p.start)
	if worked > 0 && spent > 2*time.Second {
		text += fmt.Sprintf(", %s/s", rounded(float64(worked)/spent.Seconds()))
		if at.All && done < at.Of {
			text += ", " + short(time.Duration(float64(spent)/float64(worked)*float64(at.Of-done))) + " left"
		}
	}
	if at.Failed > 0 {
		text += fmt.Sprintf(", %s bad", grouped(at.Failed))
	}
	return text
}

// fault names a bad picture.
func (p *extractProgress) fault(f extract.Fault) {
	switch p.bad++; {
	case p.bad <= shownFaults:
		p.line.say("bad: " + plain(f.Error()))
	case p.bad == shownFaults+1:
		p.line.say("bad: more, which are not named here")
	}
}

// end leaves the line.
func (p *extractProgress) end() { p.line.leave() }
