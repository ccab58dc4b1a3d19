package neon

// Lanes is how many values of 32 bits a register holds, Bytes its size.
const (
	Lanes = 4
	Bytes = 16
)

// An Access reads and writes one vector of each stream of a loop, or a single value of what is left. There are no masks: of values that
// fill no vector each takes a turn of its own, in the first lane.
type Access struct {
	at     int // bytes from the streams' pointers
	single bool
}

// Load is the vector at p. Lanes past the end are 0.
func (a Access) Load(p R) V {
	if a.single {
		return LoadOne(p, a.at)
	}
	return Load(p, a.at)
}

// Store writes the vector to p.
func (a Access) Store(v V, p R) {
	if a.single {
		StoreOne(v, p, a.at)
		return
	}
	Store(v, p, a.at)
}

// Single reports whether it is to a single value.
func (a Access) Single() bool { return a.single }

// Filled is v with the lanes past the end of with.
func (a Access) Filled(v, with V) V {
	if !a.single {
		return v
	}
	filled := Copy(with)
	SetLane(filled, 0, v)
	return filled
}

// Each goes over n values, a vector at a time; body is given each vector's place, and its turn modulo unroll, so that
// it can spread a sum over several registers. It advances the pointers and uses n up.
func Each(n R, unroll int, pointers []R, body func(at Access, turn int)) {
	if unroll > 1 {
		Whole(n, unroll, pointers, body)
	}
	Whole(n, 1, pointers, body)
	done, loop := NewLabel("done"), NewLabel("single")
	JumpIfZero(n, done)
	Label(loop)
	body(Access{0, true}, 0)
	for _, p := range pointers {
		Advance(p, 4)
	}
	Decrease(n)
	JumpIfNotZero(n, loop)
	Label(done)
}

// Whole goes over as many blocks of unroll vectors as there are.
func Whole(n R, unroll int, pointers []R, body func(at Access, turn int)) {
	loop, rest := NewLabel("loop"), NewLabel("rest")
	SubFlags(n, unroll*Lanes)
	JumpIfNegative(rest)
	Label(loop)
	for turn := range unroll {
		body(Access{turn * Bytes, false}, turn)
	}
	for _, p := range pointers {
		Advance(p, unroll*Bytes)
	}
	SubFlags(n, unroll*Lanes)
	JumpIfNotNegative(loop)
	Label(rest)
	Advance(n, unroll*Lanes)
}

// Reduce folds the vectors into the first lane of the result: op of vectors, across of neighbours.
func Reduce(op, across Op, v []V) V {
	for n := len(v) / 2; n > 0; n /= 2 {
		for i := range n {
			op.Into(v[i], v[i], v[i+n])
		}
	}
	y := across.Of(v[0], v[0])
	return across.Of(y, y)
}

// Columns turns four rows into four columns.
func Columns(x []V) []V {
	t := []V{ZIP1.Of(x[0], x[2]), ZIP1.Of(x[1], x[3]), ZIP2.Of(x[0], x[2]), ZIP2.Of(x[1], x[3])}
	return []V{ZIP1.Of(t[0], t[1]), ZIP2.Of(t[0], t[1]), ZIP1.Of(t[2], t[3]), ZIP2.Of(t[2], t[3])}
}
