package main

import "sync/atomic"

// A team is some threads that wait for work without sleeping, as OpenBLAS's do for a while.
type team struct {
	threads int
	work    func(thread int)
	begun   atomic.Int64
	done    atomic.Int64
}

func newTeam(threads int) *team {
	t := &team{threads: threads}
	for i := 1; i < threads; i++ {
		go func() {
			for round := int64(1); ; round++ {
				for t.begun.Load() < round {
				}
				if t.work == nil {
					return
				}
				t.work(i)
				t.done.Add(1)
			}
		}()
	}
	return t
}

// do runs work on every thread and waits; nil sends the team home.
func (t *team) do(work func(thread int)) {
	t.work = work
	t.begun.Add(1)
	if work == nil {
		return
	}
	work(0)
	for round := t.begun.Load(); t.done.Load() < round*int64(t.threads-1); {
	}
}

// A barrier lets nobody pass until all have come.
type barrier struct{ come atomic.Int32 }

func (b *barrier) wait(all int) {
	turn := (int(b.come.Add(1)) + all - 1) / all * all
	for int(b.come.Load()) < turn {
	}
}
