package model

import (
	"errors"
	"fmt"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Network is what the four models have in common: a configuration, weights on a backend,
// and the graphs compiled so far. It is safe for concurrent use; methods that change weights
// wait for the forward passes under way, and later ones see the change.
type Network struct {
	head      Head
	backend   compute.Backend
	precision Precision
	kept      []Weight // in the order of Declare; training keeps more in the store

	mu     sync.RWMutex // held for reading while weights are in use
	config *Config
	store  *model.Store
	graphs *graphCache
	closed bool
}

// Batch is a batch of inputs outside a graph.
type Batch = Inputs[*tensors.Tensor]

// New makes a model with that head on the backend, float32, with weights from source ([Config.Fresh] for new ones).
// Errors: an invalid configuration, or the source's.
func New(backend compute.Backend, c *Config, head Head, source Source) (*Network, error) {
	if source == nil {
		return NewIn(backend, c, head, Float32, nil)
	}
	return NewIn(backend, c, head, Float32, source.Kept())
}

// NewIn is [New] for a network of some precision, of weights as it keeps them ([Source.Kept] converts others). It is an error if the
// backend has not the types.
func NewIn(backend compute.Backend, c *Config, head Head, precision Precision, source KeptSource) (*Network, error) {
	if backend == nil || c == nil || source == nil {
		return nil, errors.New("model.New wants a backend, a configuration and a source of weights")
	}
	if precision > Int8 {
		return nil, fmt.Errorf("there is no %s", precision)
	}
	weights, err := Declare(c, head)
	if err != nil {
		return nil, err
	}
	n := &Network{head: head, backend: backend, precision: precision, kept: precision.Kept(weights), config: c.Clone(), store: model.NewStore(), graphs: newGraphCache()}
	for _, w := range n.kept {
		if !backend.Capabilities().DTypes[w.DType] {
			n.Close()
			return nil, fmt.Errorf("the backend %q has no %s, which %s needs: take another precision or another backend", backend.Name(), w.DType, precision)
		}
		if err := n.declare(w, source); err != nil {
			n.Close()
			return nil, fmt.Errorf("%s: %w", w.Name, err)
		}
	}
	return n, n.declareRandom()
}

// declareRandom makes the variable of the random numbers' state. Left to GoMLX (0.28.8) it would not know its store, which graphs for several
// devices ask it for.
func (n *Network) declareRandom() error {
	state, err := graph.RNGStateFromSeed(0)
	if err != nil {
		return err
	}
	variable, err := n.store.CreateVariable(model.RNGStateVariableName, state)
	if err == nil {
		variable.SetTrainable(false)
	}
	return err
}

// declare makes the variable of one weight.
func (n *Network) declare(w Weight, source KeptSource) error {
	values, err := source(w)
	if err != nil {
		return err
	}
	value, err := n.tensor(w, values)
	if err != nil {
		return err
	}
	variable, err := n.store.CreateVariable(variablePath(w.Name), value)
	if err == nil && n.precision != Float32 {
		variable.SetTrainable(false)
	}
	return err
}

// SetSeed starts the random numbers of dropout anew.
func (n *Network) SetSeed(seed int64) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.store.SetRNGStateFromSeed(seed)
}

// tensor copies values to the backend, those of weight w as it is kept.
func (n *Network) tensor(w Weight, values []byte) (*tensors.Tensor, error) {
	if width := w.DType.Size(); len(values) != w.Size()*width {
		return nil, fmt.Errorf("found %d values, want %d for shape %v", len(values)/width, w.Size(), w.Dimensions)
	}
	return tensors.FromRaw(n.backend, 0, shapes.Make(w.DType, w.Dimensions...), values)
}

// ErrClosed is what a closed model answers.
var ErrClosed = errors.New("the model is closed")

// Close frees weights and compiled graphs, after the forward passes under way.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.closed {
		n.closed = true
		n.graphs.clear()
		n.store.Finalize()
	}
	return nil
}

// Config is a copy of the configuration.
func (n *Network) Config() *Config {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.config.Clone()
}

// Head tells which of the four models it is.
func (n *Network) Head() Head { return n.head }

// Precision says how it keeps its weights.
func (n *Network) Precision() Precision { return n.precision }

// Backend is where the weights live and the graphs run.
func (n *Network) Backend() compute.Backend { return n.backend }

// Update runs f while nobody uses the weights; f may change them through [Network.Store]. [ErrClosed] if the model is closed.
func (n *Network) Update(f func() error) (err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return ErrClosed
	}
	if panicked := catch(func() { err = f() }); panicked != nil {
		return panicked
	}
	return err
}

// Store is the GoMLX store of the weights, for training and other graphs of one's own. It also holds
// GoMLX's random state, and what an optimiser keeps beside each weight; [Network.Weights] lists the weights alone.
func (n *Network) Store() *model.Store { return n.store }
