package pickle

import (
	"errors"
	"fmt"
	"slices"
)

// step executes one operation. They are named in Python's pickletools.
func (m *machine) step(op byte) error {
	switch op {
	case 0x80: // protocol
		version, err := m.number(1)
		if err == nil && version > 5 {
			err = fmt.Errorf("found protocol %d, want 0 to 5", version)
		}
		return err
	case 0x95: // frame
		_, err := m.take(8)
		return err
	case '(':
		return m.mark()
	case '0', '1', '2':
		return m.shuffle(op)
	case 'N':
		m.push(nil)
	case 0x88, 0x89:
		m.push(op == 0x88)
	case '}':
		m.push(&Dict{})
	case ']':
		m.push(&List{})
	case 0x8f:
		m.push(&Set{})
	case 'd', 'l', 't', 0x91, ')', 0x85, 0x86, 0x87:
		return m.contain(op)
	case 's', 'u', 'a', 'e', 0x90:
		return m.fill(op)
	case 'p', 'q', 'r', 0x94, 'g', 'h', 'j':
		return m.remember(op)
	case 'I', 'L', 'J', 'K', 'M', 0x8a, 0x8b:
		return m.integer(op)
	case 'F', 'G':
		return m.float(op)
	case 'V', 'S', 'X', 0x8c, 0x8d:
		return m.string(op)
	case 'U', 'T', 'C', 'B', 0x8e, 0x96:
		return m.bytes(op)
	case 'c', 0x93:
		return m.global(op)
	case 'R', 0x81:
		return m.call()
	case 'b':
		return m.build()
	case 'P', 'Q':
		return m.persistent(op)
	default:
		return fmt.Errorf("found operation %q, which is not one that plain data needs", op)
	}
	return nil
}

// shuffle drops or doubles what is on the stack.
func (m *machine) shuffle(op byte) error {
	switch op {
	case '0':
		if m.above() == 0 { // Python drops the mark then
			_, err := m.popMark()
			return err
		}
		_, err := m.pop()
		return err
	case '1':
		_, err := m.popMark()
		return err
	}
	v, err := m.top()
	if err == nil {
		m.push(v)
	}
	return err
}

// noValues is every empty tuple.
var noValues = &Tuple{}

// contain makes a container of what is on the stack.
func (m *machine) contain(op byte) error {
	var values []any
	var err error
	switch op {
	case ')':
		m.push(noValues)
		return nil
	case 0x85, 0x86, 0x87:
		values, err = m.popN(int(op - 0x84))
	default:
		values, err = m.popMark()
	}
	if err != nil {
		return err
	}
	switch op {
	case 'd':
		d := &Dict{}
		err = d.fill(values)
		m.push(d)
		return err
	case 'l':
		l := &List{Values: slices.Clone(values)}
		m.push(l)
		return deepen(&l.depth, l.Values...)
	case 0x91:
		s := &Set{Values: slices.Clone(values)}
		m.push(s)
		return deepen(&s.depth, s.Values...)
	}
	t := &Tuple{Values: slices.Clone(values)}
	m.push(t)
	return deepen(&t.depth, t.Values...)
}

// fill adds to the dict, list or set on the stack.
func (m *machine) fill(op byte) error {
	var values []any
	var err error
	switch op {
	case 's':
		values, err = m.popN(2)
	case 'a':
		values, err = m.popN(1)
	default:
		values, err = m.popMark()
	}
	if err != nil {
		return err
	}
	top, err := m.top()
	if err != nil {
		return err
	}
	switch top := top.(type) {
	case *Dict:
		if op == 's' || op == 'u' {
			return top.fill(values)
		}
	case *List:
		if op == 'a' || op == 'e' {
			top.Values = append(top.Values, values...)
			return deepen(&top.depth, values...)
		}
	case *Set:
		if op == 0x90 {
			top.Values = append(top.Values, values...)
			return deepen(&top.depth, values...)
		}
	}
	want := "a dict"
	switch op {
	case 'a', 'e':
		want = "a list"
	case 0x90:
		want = "a set"
	}
	return fmt.Errorf("operation %q wants %s on the stack", op, want)
}

func (d *Dict) fill(values []any) error {
	if len(values)%2 != 0 {
		return errors.New("a key has no value")
	}
	for i := 0; i < len(values); i += 2 {
		d.Pairs = append(d.Pairs, Pair{values[i], values[i+1]})
	}
	return deepen(&d.depth, values...)
}
