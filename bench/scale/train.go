package main

import (
	"math"
	"math/rand/v2"
)

// A network is what gradients go through.
type network struct {
	name      string
	bandwidth float64 // bytes a second in each direction
	latency   float64 // seconds a message
}

var networks = []network{
	{"1 Gbit/s", 1e9 / 8, 50e-6},
	{"10 Gbit/s", 10e9 / 8, 30e-6},
	{"100 Gbit/s", 100e9 / 8, 3e-6},
}

// bucket is how many bytes go through an all-reduce at once.
const bucket = 25e6

// allReduce is how long adding up that many bytes over the ranks takes, each of which sends and gets 2 (n - 1) / n of them in a ring.
func (n network) allReduce(ranks int, bytes float64) float64 {
	if ranks == 1 {
		return 0
	}
	r := float64(ranks)
	return 2*(r-1)/r*bytes/n.bandwidth + 2*(r-1)*n.latency*math.Ceil(bytes/bucket)
}

// A course is training to be played through: so many ranks with a batch among them.
type course struct {
	batch, ranks int
	network      network
	bytes        float64 // a number's in the all-reduce: 4, or 2 in bfloat16
	failures     float64 // mean hours between failures of a machine; 0: never
	interval     float64 // seconds between checkpoints
}

// step is a step's time: that of the slowest rank, the all-reduce and the update.
func (c course) step(t training, random *rand.Rand) (all, reduce float64) {
	each := (t.Step - t.Update) / float64(t.Examples)
	work := each * float64(c.batch) / float64(c.ranks)
	slowest := 0.0
	for range c.ranks {
		slowest = max(slowest, work*max(0.1, 1+t.Spread*random.NormFloat64()))
	}
	if c.ranks > 1 {
		reduce = t.Copy + c.network.allReduce(c.ranks, c.bytes*t.Weights)
	}
	return slowest + reduce + t.Update, reduce
}

// mean is the mean time of a step, and of its all-reduce.
func (c course) mean(t training) (all, reduce float64) {
	const rounds = 200
	random := rand.New(rand.NewPCG(uint64(c.ranks), 2019))
	for range rounds {
		a, r := c.step(t, random)
		all, reduce = all+a/rounds, reduce+r/rounds
	}
	return all, reduce
}

// seconds is how long so many steps take with checkpoints and failures: each failure costs what was done since the last checkpoint, and a new start.
func (c course) seconds(t training, steps float64) float64 {
	step, _ := c.mean(t)
	random := rand.New(rand.NewPCG(uint64(c.ranks), 1908))
	now, saved := t.Restart, 0.0
	for saved < steps {
		most := min(math.Ceil(c.interval/step), steps-saved)
		took := most*step + t.Checkpoint
		if c.failures > 0 {
			if fails := random.ExpFloat64() * c.failures * 3600 / float64(c.ranks); fails < took {
				now += fails + t.Restart
				continue
			}
		}
		now, saved = now+took, saved+most
	}
	return now
}
