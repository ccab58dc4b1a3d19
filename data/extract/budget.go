package extract

import "sync"

// A budget bounds what pictures take together. They are let in one after the other, in the order of their turns, so that those that come out first also
// got in first; one that is heavier than the limit is let in alone.
type budget struct {
	limit int64

	lock   sync.Mutex
	change sync.Cond
	used   int64
	turn   int64 // who is next
	closed bool
}

func newBudget(limit int64) *budget {
	b := &budget{limit: limit}
	b.change.L = &b.lock
	return b
}

// enter waits until everybody before has entered and there is room. Every turn must enter once, perhaps with no weight. It is false if the budget is closed.
func (b *budget) enter(turn, weight int64) bool {
	b.lock.Lock()
	defer b.lock.Unlock()
	for !b.closed && (b.turn != turn || b.used > 0 && weight > 0 && b.used+weight > b.limit) {
		b.change.Wait()
	}
	if b.closed {
		return false
	}
	b.turn++
	b.used += weight
	b.change.Broadcast()
	return true
}

// leave gives back what was entered with.
func (b *budget) leave(weight int64) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.used -= weight
	b.change.Broadcast()
}

// close lets nobody in any more.
func (b *budget) close() {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.closed = true
	b.change.Broadcast()
}
