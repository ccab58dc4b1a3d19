package main

import (
	"container/heap"
	"math"
	"math/rand/v2"
)

// A job is batch work to be played through: pictures in parts, on machines that are not all equally fast and that fail.
type job struct {
	pictures float64
	part     int // pictures in a part
	machines int
	fixed    bool // machine i has the parts i, i+n, … (--shard); else whoever is free takes the next one (Beam)

	picture, spread, start, overhead float64 // as measured
	uneven                           float64 // standard deviation of machines' speeds, as a share
	failures                         float64 // mean hours between failures of a machine; 0: never
}

// An outcome is how a job went.
type outcome struct {
	seconds    float64 // until the last part was written
	efficiency float64 // of all machines' time, the share that went into pictures that were kept
	repeated   float64 // share of the parts that were done again
}

// play plays a job through. The same seed gives the same outcome.
func (j job) play(seed uint64) outcome {
	random := rand.New(rand.NewPCG(seed, 2019))
	parts := int(math.Ceil(j.pictures / float64(j.part)))
	free := make(queue, j.machines)
	speed := j.speeds(random)
	for i := range free {
		free[i] = machine{at: j.start, number: i, own: (parts - i + j.machines - 1) / j.machines, fails: j.nextFailure(random, 0)}
	}
	heap.Init(&free)
	var o outcome
	useful := 0.0
	for left := parts; left > 0 && len(free) > 0; {
		m := &free[0]
		if j.fixed && m.own == 0 {
			heap.Pop(&free)
			continue
		}
		// The sum of a part's pictures is near a normal distribution, whatever one picture's is.
		work := j.picture * float64(j.part) * max(0.1, 1+j.spread/math.Sqrt(float64(j.part))*random.NormFloat64())
		took := (work + j.overhead) / speed[m.number]
		if m.at+took > m.fails {
			m.at = m.fails + j.start // the part is done again: by this machine, or by whoever comes first
			m.fails = j.nextFailure(random, m.at)
			o.repeated++
		} else {
			m.at += took
			useful += work
			m.own--
			left--
			o.seconds = max(o.seconds, m.at)
		}
		heap.Fix(&free, 0)
	}
	o.efficiency = useful / (o.seconds * float64(j.machines))
	o.repeated /= float64(parts)
	return o
}

// speeds are the machines', whose mean is 1.
func (j job) speeds(random *rand.Rand) []float64 {
	speed := make([]float64, j.machines)
	sum := 0.0
	for i := range speed {
		speed[i] = math.Exp(j.uneven * random.NormFloat64())
		sum += speed[i]
	}
	for i := range speed {
		speed[i] *= float64(j.machines) / sum
	}
	return speed
}

// nextFailure is when a machine fails that works from then on.
func (j job) nextFailure(random *rand.Rand, from float64) float64 {
	if j.failures == 0 {
		return math.Inf(1)
	}
	return from + random.ExpFloat64()*j.failures*3600
}

// A machine is free at a time; of its own parts so many are left.
type machine struct {
	at, fails   float64
	number, own int
}

// queue has the machine that is free first at its head.
type queue []machine

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, k int) bool { return q[i].at < q[k].at }
func (q queue) Swap(i, k int)      { q[i], q[k] = q[k], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(machine)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
