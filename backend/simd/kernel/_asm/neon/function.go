// Package neon writes functions in Go's assembler for arm64, as avo does for amd64: registers are chosen by it, and instructions that
// Go's assembler does not know become words of code, with Arm's spelling beside them.
package neon

import (
	"fmt"
	"go/ast"
	"go/parser"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// function is one that is being written.
type function struct {
	name, signature, doc string
	code                 []instruction
	places               map[string]string // of parameters
	size                 int               // of parameters and results
	table                R                 // where constants are, if any is used
	usesTable            bool
	named                map[string]int
}

var (
	functions []*function
	current   *function
	registers int
)

// NewV is a new register of vectors, NewR one of whole numbers.
func NewV() V { registers++; return V{Reg{true, registers}} }
func NewR() R { registers++; return R{Reg{false, registers}} }

// NewVs are n new registers of vectors.
func NewVs(n int) []V {
	v := make([]V, n)
	for i := range v {
		v[i] = NewV()
	}
	return v
}

// Func begins a function of that Go signature and documents it: "name is does". [End] ends it.
func Func(name, signature, does string) {
	current = &function{name: name, signature: signature, doc: name + " is " + does, places: map[string]string{}, named: map[string]int{}}
	current.table = NewR()
	functions = append(functions, current)
	expr, err := parser.ParseExpr(signature)
	if err != nil {
		panic(err)
	}
	of := expr.(*ast.FuncType)
	current.place(of.Params, "")
	if of.Results != nil {
		current.size = (current.size + 7) &^ 7
		current.place(of.Results, "ret")
	}
}

// place finds out where values lie on the stack.
func (f *function) place(list *ast.FieldList, unnamed string) {
	for _, field := range list.List {
		size := 8
		if t, ok := field.Type.(*ast.Ident); ok {
			switch t.Name {
			case "int":
			case "float32", "int32", "uint32":
				size = 4
			case "bool":
				size = 1
			default:
				panic(f.name + ": parameters are pointers, int, numbers of 32 bits or bool, found " + t.Name)
			}
		}
		names := []string{unnamed}
		if len(field.Names) > 0 {
			names = names[:0]
			for _, n := range field.Names {
				names = append(names, n.Name)
			}
		}
		for _, name := range names {
			f.size = (f.size + size - 1) / size * size
			f.places[name] = fmt.Sprintf("%s+%d(FP)", name, f.size)
			f.size += size
		}
	}
}

func (f *function) at(name string) string {
	place, ok := f.places[name]
	if !ok {
		panic(f.name + ": no parameter " + name)
	}
	return place
}

// emit adds an instruction.
func emit(in instruction) { current.code = append(current.code, in) }

// line is an instruction of that text, its registers in order of appearance.
func line(writes, reads []Reg, format string, operands ...any) {
	emit(instruction{reads: reads, writes: writes, text: func(of func(Reg) int) string {
		values := make([]any, len(operands))
		for i, o := range operands {
			switch o := o.(type) {
			case Reg:
				values[i] = of(o)
			case V:
				values[i] = of(o.Reg)
			case R:
				values[i] = of(o.Reg)
			default:
				values[i] = o
			}
		}
		return fmt.Sprintf(format, values...)
	}})
}

func regs(r ...Reg) []Reg { return r }

// NewLabel is a label that the function has no other of.
func NewLabel(name string) string {
	current.named[name]++
	return fmt.Sprintf("%s%d", name, current.named[name])
}

// Label is where jumps to it go.
func Label(name string) { emit(instruction{label: name}) }

// Jump goes to a label; so do the others where the condition holds, of a register or of the last [SubFlags].
func Jump(to string) {
	emit(instruction{jump: to, ends: true, text: func(func(Reg) int) string { return "B " + to }})
}

func JumpIfZero(r R, to string)    { jumpIf("CBZ", r, to) }
func JumpIfNotZero(r R, to string) { jumpIf("CBNZ", r, to) }

func jumpIf(op string, r R, to string) {
	emit(instruction{jump: to, reads: regs(r.Reg), text: func(of func(Reg) int) string { return fmt.Sprintf("%s R%d, %s", op, of(r.Reg), to) }})
}

// JumpIfNoBit tells by one bit.
func JumpIfNoBit(bit int, r R, to string) {
	emit(instruction{jump: to, reads: regs(r.Reg), text: func(of func(Reg) int) string { return fmt.Sprintf("TBZ $%d, R%d, %s", bit, of(r.Reg), to) }})
}

// JumpIfBelowZero tells by the sign.
func JumpIfBelowZero(r R, to string) {
	emit(instruction{jump: to, reads: regs(r.Reg), text: func(of func(Reg) int) string { return fmt.Sprintf("TBNZ $63, R%d, %s", of(r.Reg), to) }})
}

func JumpIfNegative(to string)    { jumpOn("BLT", to) }
func JumpIfNotNegative(to string) { jumpOn("BGE", to) }

func jumpOn(op, to string) {
	emit(instruction{jump: to, text: func(func(Reg) int) string { return op + " " + to }})
}

// IfThere has body done where a pointer is not nil.
func IfThere(p R, body func()) {
	without := NewLabel("without")
	JumpIfZero(p, without)
	body()
	Label(without)
}

// End returns, and chooses the function's registers.
func End() {
	emit(instruction{ends: true, text: func(func(Reg) int) string { return "RET" }})
	f := current
	if f.usesTable {
		load := instruction{writes: regs(f.table.Reg), text: func(of func(Reg) int) string { return fmt.Sprintf("MOVD $·constants<>(SB), R%d", of(f.table.Reg)) }}
		f.code = append([]instruction{load}, f.code...)
	}
}

// constants are the vectors in memory, with one value in all lanes or of four.
var constants [][4]uint32

// Const is that value in every lane, Bits that pattern.
func Const(value float64) V       { return Bits(math.Float32bits(float32(value))) }
func Bits(pattern uint32) V       { return Words([4]uint32{pattern, pattern, pattern, pattern}) }
func Words(words [4]uint32) (v V) { v = NewV(); constantTo(v, words); return v }

func constantTo(v V, words [4]uint32) {
	at := -1
	for i, c := range constants {
		if c == words {
			at = i
		}
	}
	if at < 0 {
		at = len(constants)
		constants = append(constants, words)
	}
	note := fmt.Sprint(math.Float32frombits(words[0]))
	if f := math.Abs(float64(math.Float32frombits(words[0]))); !(f > 1e-30 && f < 1e30) {
		note = fmt.Sprintf("%#x", words[0])
	}
	current.usesTable = true
	line(regs(v.Reg), regs(current.table.Reg), "FMOVQ %[2]d(R%[3]d), F%[1]d // %[4]s", v, 16*at, current.table, note)
}

// Generate writes the functions so far to subject_arm64.s and their Go declarations to subject_arm64.go, and forgets them.
func Generate(dir, subject string) error {
	const head = "// Code generated by go run -C _asm ./arm64. DO NOT EDIT.\n\n//go:build !purego\n\n"
	var asm, stubs strings.Builder
	asm.WriteString(head + "#include \"textflag.h\"\n")
	stubs.WriteString(head + "package kernel\n")
	for i, c := range constants {
		fmt.Fprintf(&asm, "\nDATA ·constants<>+%d(SB)/8, $%#x\nDATA ·constants<>+%d(SB)/8, $%#x", 16*i, uint64(c[1])<<32|uint64(c[0]), 16*i+8, uint64(c[3])<<32|uint64(c[2]))
	}
	if len(constants) > 0 {
		fmt.Fprintf(&asm, "\nGLOBL ·constants<>(SB), RODATA|NOPTR, $%d\n", 16*len(constants))
	}
	for _, f := range functions {
		fmt.Fprintf(&stubs, "\n// %s\n//\n//go:noescape\nfunc %s%s\n", f.doc, f.name, strings.TrimPrefix(f.signature, "func"))
		fmt.Fprintf(&asm, "\n// %s%s\nTEXT ·%s(SB), NOSPLIT, $0-%d\n", f.name, strings.TrimPrefix(f.signature, "func"), f.name, f.size)
		chosen := choose(f.name, f.code)
		of := func(r Reg) int {
			n, ok := chosen[r]
			if !ok {
				panic(fmt.Sprintf("%s: %v is never written", f.name, r))
			}
			return n
		}
		for _, in := range f.code {
			if in.label != "" {
				fmt.Fprintf(&asm, "\n%s:\n", in.label)
			} else {
				fmt.Fprintf(&asm, "\t%s\n", in.text(of))
			}
		}
	}
	functions, constants, registers = nil, nil, 0
	path := filepath.Join(dir, subject+"_arm64")
	if err := os.WriteFile(path+".s", []byte(asm.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(path+".go", []byte(stubs.String()), 0o644)
}
