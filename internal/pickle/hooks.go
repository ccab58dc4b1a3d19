package pickle

import (
	"errors"
	"fmt"
)

// global asks for a class or function by its name.
func (m *machine) global(op byte) error {
	var module, name string
	if op == 'c' {
		for _, part := range []*string{&module, &name} {
			line, err := m.line()
			if err != nil {
				return err
			}
			*part = string(line[:min(len(line), MaxText)])
		}
	} else {
		values, err := m.popN(2)
		if err != nil {
			return err
		}
		var ok, okToo bool
		module, ok = values[0].(string)
		name, okToo = values[1].(string)
		if !ok || !okToo || len(module) > MaxText || len(name) > MaxText {
			return errors.New("found a global whose name is not a short text")
		}
	}
	if m.options.Global == nil {
		return fmt.Errorf("found global %.100q, want plain numbers and texts", module+"."+name)
	}
	v, err := m.options.Global(module, name)
	m.push(v)
	return err
}

// call has the caller make something of a function and its arguments.
func (m *machine) call() error {
	values, err := m.popN(2)
	if err != nil {
		return err
	}
	arguments, ok := values[1].(*Tuple)
	if !ok || m.options.Call == nil {
		return errors.New("found a call of something that cannot be called")
	}
	v, err := m.options.Call(values[0], arguments.Values)
	m.push(v)
	return err
}

func (m *machine) build() error {
	state, err := m.pop()
	if err != nil {
		return err
	}
	object, err := m.top()
	if err != nil {
		return err
	}
	if m.options.Build == nil {
		return errors.New("found the state of an object, want plain numbers and texts")
	}
	return m.options.Build(object, state)
}

func (m *machine) persistent(op byte) error {
	var id any
	if op == 'P' {
		line, err := m.line()
		if err != nil {
			return err
		}
		id = string(line)
	} else {
		var err error
		if id, err = m.pop(); err != nil {
			return err
		}
	}
	if m.options.Persistent == nil {
		return errors.New("found a reference to something outside, want plain numbers and texts")
	}
	v, err := m.options.Persistent(id)
	m.push(v)
	return err
}
