package batch

import "sync"

// once keeps what takes long to load, such as a model, for all bundles and goroutines of a worker process: a runner makes a DoFn for each bundle.
type once[K comparable, V any] struct {
	lock sync.Mutex
	all  map[K]V
}

// get is what load gives for the key, the first time; an error is not kept.
func (o *once[K, V]) get(key K, load func() (V, error)) (V, error) {
	o.lock.Lock()
	defer o.lock.Unlock()
	if v, ok := o.all[key]; ok {
		return v, nil
	}
	v, err := load()
	if err == nil {
		if o.all == nil {
			o.all = map[K]V{}
		}
		o.all[key] = v
	}
	return v, err
}
