package frcnn

import (
	"container/list"
	"errors"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// maxPrograms bounds the compiled graphs that are kept: pictures have a few dozen sizes.
const maxPrograms = 48

// programs are the network's weights on an engine, and its graphs as far as they are compiled. Use by one goroutine at a time.
type programs struct {
	engine compute.Backend
	store  *model.Store
	kept   map[string]*list.Element // of *program
	recent *list.List               // most recently used first
}

// A program is a graph that was compiled for one shape.
type program struct {
	key  string
	exec *model.Exec
}

func newPrograms(engine compute.Backend, c *Config, from source) (*programs, error) {
	p := &programs{engine: engine, store: model.NewStore(), kept: map[string]*list.Element{}, recent: list.New()}
	if err := catch(func() error { return c.load(engine, p.store, from) }); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// run gives a part of the network its input, of that shape, and returns what comes out. The graph is compiled the first time.
func (p *programs) run(part string, build graphBuilder, x []float32, shape ...int) (out [][]float32, err error) {
	err = catch(func() error {
		key := fmt.Sprint(part, shape)
		exec, err := p.compiled(key, build, shape)
		if err != nil {
			return err
		}
		in, err := tensors.FromRaw(p.engine, 0, shapes.Make(dtypes.Float32, shape...), dtypes.UnsafeByteSliceFromAny(x))
		if err != nil {
			return err
		}
		defer in.FinalizeAll()
		results, err := exec.Call(in)
		if err != nil {
			return err
		}
		for _, t := range results {
			values, err := tensors.CopyFlatData[float32](t)
			t.FinalizeAll()
			if err != nil {
				return err
			}
			out = append(out, values)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", part, err)
	}
	return out, nil
}

func (p *programs) compiled(key string, build graphBuilder, shape []int) (*model.Exec, error) {
	if element, ok := p.kept[key]; ok {
		p.recent.MoveToFront(element)
		return element.Value.(*program).exec, nil
	}
	exec, err := model.NewExec(p.engine, p.store, func(s *model.Scope, nodes []*graph.Node) []*graph.Node { return build(s, nodes) })
	if err != nil {
		return nil, err
	}
	if _, err := exec.Compile(shapes.Make(dtypes.Float32, shape...)); err != nil {
		exec.Finalize()
		return nil, err
	}
	p.kept[key] = p.recent.PushFront(&program{key, exec})
	for p.recent.Len() > maxPrograms {
		old := p.recent.Remove(p.recent.Back()).(*program)
		delete(p.kept, old.key)
		old.exec.Finalize()
	}
	return exec, nil
}

func (p *programs) close() {
	for p.recent.Len() > 0 {
		p.recent.Remove(p.recent.Front()).(*program).exec.Finalize()
	}
	clear(p.kept)
	p.store.Finalize()
}

// catch turns the panics by which GoMLX reports errors into errors.
func catch(f func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			err = r
		default:
			err = errors.New(fmt.Sprint(r))
		}
	}()
	return f()
}
