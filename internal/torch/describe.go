package torch

import (
	"encoding/binary"
	"math"
	"strconv"
)

// A program is a pickle of protocol 2 in the making, with the operations that torch.load allows where it reads
// weights only.
type program []byte

// describe is data.pkl: OrderedDict of name to _rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict()).
func describe(tensors []Source, storages []int) []byte {
	p := program("\x80\x02")
	p.emptyDict()
	p = append(p, '(')
	for i, t := range tensors {
		class := torchTypes[t.DType]
		elements, _ := product(t.Shape, 1)
		p.text(t.Name)
		p.global("torch._utils", "_rebuild_tensor_v2")
		p = append(p, '(')

		p = append(p, '(')
		p.text("storage")
		p.global("torch", class.class)
		p.text(strconv.Itoa(storages[i]))
		p.text("cpu")
		p.integer(elements)
		p = append(p, 't', 'Q') // the storage

		p.integer(0)
		p.tuple(t.Shape)
		p.tuple(strides(t.Shape, false))
		p = append(p, 0x89) // needs no gradient
		p.emptyDict()       // no hooks
		p = append(p, 't', 'R')
	}
	return append(p, 'u', '.')
}

func (p *program) emptyDict() {
	p.global("collections", "OrderedDict")
	*p = append(*p, ')', 'R')
}

func (p *program) global(module, name string) {
	*p = append(*p, "c"+module+"\n"+name+"\n"...)
}

func (p *program) text(s string) {
	*p = binary.LittleEndian.AppendUint32(append(*p, 'X'), uint32(len(s)))
	*p = append(*p, s...)
}

func (p *program) tuple(values []int) {
	*p = append(*p, '(')
	for _, v := range values {
		p.integer(v)
	}
	*p = append(*p, 't')
}

// integer writes a number from 0 on, as short as Python does.
func (p *program) integer(v int) {
	switch {
	case v < 1<<8:
		*p = append(*p, 'K', byte(v))
	case v < 1<<16:
		*p = binary.LittleEndian.AppendUint16(append(*p, 'M'), uint16(v))
	case v <= math.MaxInt32:
		*p = binary.LittleEndian.AppendUint32(append(*p, 'J'), uint32(v))
	default:
		*p = binary.LittleEndian.AppendUint64(append(*p, 0x8a, 8), uint64(v))
	}
}
