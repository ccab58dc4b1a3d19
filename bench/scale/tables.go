package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
)

// corpusSizes are the pictures of the tables.
var corpusSizes = []struct {
	name     string
	pictures float64
}{
	{"180 thousand (COCO and Visual Genome)", 180e3},
	{"10 million", 10e6},
	{"1 billion", 1e9},
}

const (
	day  = 24 * 3600.
	year = 365 * day
)

// What is supposed of a fleet, where a table says nothing else.
const (
	uneven   = 0.1      // machines' speeds: standard deviation
	failures = 30 * 24. // hours between a machine's failures
	partSize = 256      // pictures
	interval = 15 * 60. // between checkpoints, seconds
	batch    = 256      // the paper's
	pairs    = 9.18e6   // of pre-training (paper, section 3.2)
	epochs   = 20       // of it
	passes   = pairs * epochs
)

// job is batch work of the fleet.
func (m *measured) job(pictures float64, machines int) job {
	e := m.Extract
	return job{pictures: pictures, part: partSize, machines: machines, picture: m.picture(), spread: e.Spread, start: e.Start, overhead: e.Part,
		uneven: uneven, failures: failures}
}

// corpora is what there is to do, without losses.
func corpora(w io.Writer, m *measured) {
	fmt.Fprint(w, "| pictures |")
	for _, d := range m.Detector {
		fmt.Fprintf(w, " one machine, %s | machines for a day |", d.DType)
	}
	fmt.Fprint(w, " read | stored |\n|---|")
	for range m.Detector {
		fmt.Fprint(w, "---|---|")
	}
	fmt.Fprintln(w, "---|---|")
	for _, c := range corpusSizes {
		fmt.Fprintf(w, "| %s |", c.name)
		for _, d := range m.Detector {
			seconds := c.pictures * d.Picture
			fmt.Fprintf(w, " %s | %s |", duration(seconds), count(math.Ceil(seconds/day)))
		}
		fmt.Fprintf(w, " %s | %s |\n", size(c.pictures*m.Extract.PictureBytes), size(c.pictures*m.Extract.StoredBytes))
	}
}

// fleets are the numbers of machines of the tables and plots.
var fleets = []int{1, 4, 16, 64, 256, 1024, 4096}

// machines is how long each corpus takes, and what share of the machines' time is used.
func machines(w io.Writer, m *measured) {
	fmt.Fprint(w, "| machines |")
	for _, c := range corpusSizes {
		fmt.Fprintf(w, " %s | by `--shard` |", c.name)
	}
	fmt.Fprintln(w, "\n|---|---|---|---|---|---|---|")
	for _, n := range fleets {
		fmt.Fprintf(w, "| %s |", count(float64(n)))
		for _, c := range corpusSizes {
			j := m.job(c.pictures, n)
			if j.pictures*j.picture/float64(n) > 10*year {
				fmt.Fprint(w, " | |")
				continue
			}
			free := j.play(1)
			j.fixed = true
			fixed := j.play(1)
			fmt.Fprintf(w, " %s, %s | %s |", duration(free.seconds), percent(free.efficiency), percent(fixed.efficiency))
		}
		fmt.Fprintln(w)
	}
}

// partSizes is what the size of a part does, on 256 machines.
func partSizes(w io.Writer, m *measured) {
	const fleet = 256
	fmt.Fprintln(w, "| pictures a part | a part takes | 180 thousand | 10 million | 10 million, a machine fails each day | parts done again |\n|---|---|---|---|---|---|")
	for _, part := range []int{16, 64, 256, 1024, 4096, 16384} {
		at := func(pictures, hours float64) outcome {
			j := m.job(pictures, fleet)
			j.part, j.failures = part, hours
			return j.play(1)
		}
		often := at(10e6, 24)
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", count(float64(part)), duration(m.picture()*float64(part)),
			percent(at(180e3, failures).efficiency), percent(at(10e6, failures).efficiency), percent(often.efficiency), percent(often.repeated))
	}
}

// ranks are the numbers of machines of training's tables and plots.
var ranks = []int{1, 2, 4, 8, 16, 32, 64, 128}

func (m *measured) course(n int, net network, bytes float64) course {
	return course{batch: batch, ranks: n, network: net, bytes: bytes, failures: failures, interval: interval}
}

// steps is a step of pre-training.
func steps(w io.Writer, m *measured) {
	fmt.Fprint(w, "| machines | examples each |")
	for _, n := range networks {
		fmt.Fprintf(w, " %s: step, of it all-reduce | times as fast |", n.name)
	}
	fmt.Fprintln(w, " 10 Gbit/s, sent as bfloat16 |\n|---|---|---|---|---|---|---|---|---|")
	one, _ := m.course(1, networks[0], 4).mean(m.Training)
	for _, n := range ranks {
		fmt.Fprintf(w, "| %d | %d |", n, batch/n)
		for _, net := range networks {
			step, reduce := m.course(n, net, 4).mean(m.Training)
			fmt.Fprintf(w, " %s, %s | %.1f |", seconds(step), percent(reduce/step), one/step)
		}
		step, _ := m.course(n, networks[1], 2).mean(m.Training)
		fmt.Fprintf(w, " %.1f |\n", one/step)
	}
}

// pretraining is all of it.
func pretraining(w io.Writer, m *measured) {
	fmt.Fprint(w, "| machines |")
	for _, n := range networks {
		fmt.Fprintf(w, " %s |", n.name)
	}
	fmt.Fprintln(w, "\n|---|---|---|---|")
	for _, n := range ranks {
		fmt.Fprintf(w, "| %d |", n)
		for _, net := range networks {
			fmt.Fprintf(w, " %s |", duration(m.course(n, net, 4).seconds(m.Training, passes/batch)))
		}
		fmt.Fprintln(w)
	}
}

// replaced puts what write writes between the marks <!-- NAME --> and <!-- end of NAME -->.
func replaced(text []byte, name string, write func(io.Writer)) ([]byte, error) {
	from, to := []byte("<!-- "+name+" -->\n"), []byte("<!-- end of "+name+" -->\n")
	i, k := bytes.Index(text, from), bytes.Index(text, to)
	if i < 0 || k < i {
		return nil, fmt.Errorf("found no place for table %s, want %s and %s", name, from, to)
	}
	var b bytes.Buffer
	b.Write(text[:i+len(from)])
	fmt.Fprintln(&b)
	write(&b)
	fmt.Fprintln(&b)
	b.Write(text[k:])
	return b.Bytes(), nil
}

// duration is a time in the unit that suits it.
func duration(s float64) string {
	for _, unit := range []struct {
		name    string
		seconds float64
	}{{"years", year}, {"days", day}, {"h", 3600}, {"min", 60}} {
		if s >= 1.5*unit.seconds {
			return digits(s/unit.seconds) + " " + unit.name
		}
	}
	return digits(s) + " s"
}

func seconds(s float64) string { return digits(s) + " s" }

// size is a number of bytes.
func size(b float64) string {
	for _, unit := range []struct {
		name  string
		bytes float64
	}{{"PB", 1e15}, {"TB", 1e12}} {
		if b >= unit.bytes {
			return digits(b/unit.bytes) + " " + unit.name
		}
	}
	return digits(b/1e9) + " GB"
}

// digits is a number with two digits that count.
func digits(v float64) string {
	if v >= 10 {
		return count(math.Round(v))
	}
	return fmt.Sprintf("%.2g", v)
}

// count is a whole number with commas.
func count(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func percent(share float64) string {
	if share > 0 && share < 0.1 {
		return fmt.Sprintf("%.1f %%", 100*share)
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}
