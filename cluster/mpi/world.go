//go:build mpi

package mpi

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/go-lxmert/lxmert/train"
)

// World is the ranks that a launcher such as mpirun or srun has started together. It is a train.Reducer.
type World struct {
	rank, size int
	patience   time.Duration
	thread     *thread
	broken     error // what ended it
	places     []place
}

var _ train.Reducer = (*World)(nil)

// A place is where a rank runs.
type place struct {
	Host string
	CPUs string // those that it may use
	PID  int
}

// Open meets the other ranks. Whoever waits for one longer than patience gives up, with a [Missing] where it knows which. A program opens one
// world, and can open none after it has closed that.
func Open(patience time.Duration) (*World, error) {
	if patience <= 0 {
		return nil, fmt.Errorf("found a patience of %v, want more than 0", patience)
	}
	w := &World{patience: patience, thread: newThread()}
	err := w.thread.do(func() (err error) {
		w.rank, w.size, err = start()
		return err
	}, 0)
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // a name for people; none will do
	w.places, err = train.Confer(w, place{host, allowedCPUs(), os.Getpid()}, nil)
	return w, err
}

// allowedCPUs are the processors that this program may run on, as the kernel writes them; "" where it does not say.
func allowedCPUs() string {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if list, ok := strings.CutPrefix(line, "Cpus_allowed_list:"); ok {
			return strings.TrimSpace(list)
		}
	}
	return ""
}

// Rank implements train.Reducer.
func (w *World) Rank() int { return w.rank }

// Size implements train.Reducer.
func (w *World) Size() int { return w.size }

// Sharers is how many ranks share this one's processors: those of the same machine, unless the launcher has bound them to different ones.
func (w *World) Sharers() int {
	n, own := 0, w.places[w.rank]
	for _, p := range w.places {
		if p.Host == own.Host && p.CPUs == own.CPUs {
			n++
		}
	}
	return n
}

// DivideCores limits this program to its part of the processors that it shares with other ranks, unless GOMAXPROCS says otherwise.
func (w *World) DivideCores() {
	if n := w.Sharers(); n > 1 && os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)/n))
	}
}

// String says which MPI it is, and how many ranks on how many machines.
func (w *World) String() string {
	name := ""
	w.thread.do(func() error { name = library(); return nil }, 0)
	name, _, _ = strings.Cut(name, ",")
	hosts := map[string]bool{}
	for _, p := range w.places {
		hosts[p.Host] = true
	}
	on := "one machine"
	if len(hosts) > 1 {
		on = fmt.Sprintf("%d machines", len(hosts))
	}
	return fmt.Sprintf("%d ranks on %s (%s)", w.size, on, strings.TrimSpace(name))
}

// Missing is the error that ranks did not come while another waited.
type Missing struct {
	Ranks  []int
	Hosts  []string // theirs
	Waited time.Duration
}

func (e *Missing) Error() string {
	var names []string
	for i, rank := range e.Ranks {
		names = append(names, fmt.Sprintf("rank %d (on %s)", rank, e.Hosts[i]))
	}
	return fmt.Sprintf("%s did not answer for %v", strings.Join(names, ", "), e.Waited)
}

// Sum implements train.Reducer. Which rank it was that did not answer it can say of those on this machine only.
func (w *World) Sum(values []float32) error {
	return w.do(func() error {
		if w.size == 1 {
			return nil
		}
		return sum(values)
	})
}

// Exchange implements train.Reducer.
func (w *World) Exchange(send, receive []byte) error {
	piece := len(send) / w.size
	if len(send) != len(receive) || piece*w.size != len(send) || piece > maxCount {
		return fmt.Errorf("found %d bytes to send and room for %d, want as many, in %d equal pieces of at most %d bytes", len(send), len(receive), w.size, maxCount)
	}
	if piece == 0 {
		return nil
	}
	return w.do(func() error { return exchange(send, receive, piece) })
}

// do makes a call that waits in MPI, which nothing can interrupt: who loses patience leaves it behind.
func (w *World) do(call func() error) error {
	if w.broken == nil {
		w.broken = w.thread.do(call, w.limit())
		if errors.Is(w.broken, errLate) {
			w.broken = fmt.Errorf("a rank did not answer for %v, in the midst of a sum; none on this machine has been stopped", w.limit())
			if ranks := w.standing(); ranks != nil {
				w.broken = w.missing(slices.Values(ranks))
			}
		}
	}
	return w.broken
}

// standing are the ranks of this machine that have been stopped (SIGSTOP) or are no more, as far as the kernel says.
func (w *World) standing() (ranks []int) {
	for rank, p := range w.places {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
		if p.Host == w.places[w.rank].Host && (errors.Is(err, fs.ErrNotExist) || strings.Contains(string(status), "\nState:\tT")) {
			ranks = append(ranks, rank)
		}
	}
	return ranks
}

// limit is how long this rank waits. Rank 0 loses patience first, so that one speaks, and it knows most.
func (w *World) limit() time.Duration {
	return w.patience + min(time.Duration(w.rank)*2*time.Second, 30*time.Second)
}

// Close ends the world, once all ranks do; after an error, or if a rank does not come, at once. The program must end then, with another
// exit code than 0: the launcher ends the other ranks.
func (w *World) Close() error {
	if w.broken == nil {
		if _, err := w.Share(nil); err == nil {
			w.broken = w.thread.do(finalize, w.limit())
		}
	}
	err := w.broken
	w.broken = errors.Join(err, errors.New("the world is closed"))
	return err
}

// missing is the error about ranks.
func (w *World) missing(ranks iter.Seq[int]) error {
	e := &Missing{Ranks: slices.Sorted(ranks), Waited: w.limit()}
	for _, rank := range e.Ranks {
		host := "another machine"
		if w.places != nil {
			host = w.places[rank].Host
		}
		e.Hosts = append(e.Hosts, host)
	}
	return e
}
