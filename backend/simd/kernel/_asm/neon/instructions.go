package neon

import "fmt"

// An Op is an instruction of registers of vectors: of a result and one or two operands. (Arm, Architecture Reference Manual for
// A-profile, C7.2.)
type Op struct {
	name     string // Arm's, or Go's if Go's assembler knows it
	code     uint32 // 0 if it does
	shape    string // of the vectors
	from     string // of the operands, if they have another
	operands int
	adds     bool   // reads what the result held
	suffix   string // of one operand's
}

// Arithmetic of four float32 numbers. Of a NaN and anything the result is a NaN, of FMAX and FMIN too.
var (
	FADD   = Op{name: "FADD", code: 0x4e20d400, shape: "4S", operands: 2}
	FSUB   = Op{name: "FSUB", code: 0x4ea0d400, shape: "4S", operands: 2}
	FMUL   = Op{name: "FMUL", code: 0x6e20dc00, shape: "4S", operands: 2}
	FDIV   = Op{name: "FDIV", code: 0x6e20fc00, shape: "4S", operands: 2}
	FMAX   = Op{name: "FMAX", code: 0x4e20f400, shape: "4S", operands: 2}
	FMIN   = Op{name: "FMIN", code: 0x4ea0f400, shape: "4S", operands: 2}
	FADDP  = Op{name: "FADDP", code: 0x6e20d400, shape: "4S", operands: 2}
	FMAXP  = Op{name: "FMAXP", code: 0x6e20f400, shape: "4S", operands: 2}
	FMLA   = Op{name: "VFMLA", shape: "S4", operands: 2, adds: true}
	FMLS   = Op{name: "VFMLS", shape: "S4", operands: 2, adds: true}
	FABS   = Op{name: "FABS", code: 0x4ea0f800, shape: "4S", operands: 1}
	FSQRT  = Op{name: "FSQRT", code: 0x6ea1f800, shape: "4S", operands: 1}
	FRINTN = Op{name: "FRINTN", code: 0x4e218800, shape: "4S", operands: 1} // to the nearest integer, ties to even

	// Comparisons: all bits of a lane, or none. FCMLTZ compares with 0.
	FCMEQ  = Op{name: "FCMEQ", code: 0x4e20e400, shape: "4S", operands: 2}
	FCMGT  = Op{name: "FCMGT", code: 0x6ea0e400, shape: "4S", operands: 2}
	FCMGE  = Op{name: "FCMGE", code: 0x6e20e400, shape: "4S", operands: 2}
	FCMLTZ = Op{name: "FCMLT", code: 0x4ea0e800, shape: "4S", operands: 1, suffix: ", #0"}

	FCVTNS = Op{name: "FCVTNS", code: 0x4e21a800, shape: "4S", operands: 1} // to int32, ties to even; a NaN becomes 0
	SCVTF  = Op{name: "SCVTF", code: 0x4e21d800, shape: "4S", operands: 1}  // from int32
)

// Bits and whole numbers.
var (
	AND    = Op{name: "VAND", shape: "B16", operands: 2}
	ORR    = Op{name: "VORR", shape: "B16", operands: 2}
	EOR    = Op{name: "VEOR", shape: "B16", operands: 2}
	BIC    = Op{name: "BIC", code: 0x4e601c00, shape: "16B", operands: 2}              // the bits of the first that the second lacks
	BSL    = Op{name: "VBSL", shape: "B16", operands: 2, adds: true}                   // where the result has bits the first, else the second
	BIT    = Op{name: "VBIT", shape: "B16", operands: 2, adds: true}                   // the first where the second has bits
	ADD    = Op{name: "VADD", shape: "S4", operands: 2}                                // of int32
	SUB    = Op{name: "VSUB", shape: "S4", operands: 2}                                // of int32
	ADDP   = Op{name: "ADDP", code: 0x4e60bc00, shape: "8H", operands: 2}              // of int16, neighbours
	ADDPS  = Op{name: "ADDP", code: 0x4ea0bc00, shape: "4S", operands: 2}              // of int32, neighbours
	UMAXP  = Op{name: "UMAXP", code: 0x6ea0a400, shape: "4S", operands: 2}             // of uint32, neighbours
	UMAX   = Op{name: "VUMAX", shape: "S4", operands: 2}                               // of uint32
	CMTST  = Op{name: "VCMTST", shape: "S4", operands: 2}                              // all bits of a lane where both have one in common
	CMTSTH = Op{name: "VCMTST", shape: "H8", operands: 2}                              // CMTST of lanes of 16 bits
	SMULL  = Op{name: "SMULL", code: 0x0e20c000, shape: "8H", from: "8B", operands: 2} // of int8 to int16, of the lower half
	// SMULL2 is SMULL of the upper half.
	SMULL2 = Op{name: "SMULL2", code: 0x4e20c000, shape: "8H", from: "16B", operands: 2}
	SADALP = Op{name: "SADALP", code: 0x4e606800, shape: "4S", from: "8H", operands: 1, adds: true}    // neighbours of int16 added to int32
	SQXTN  = Op{name: "SQXTN", code: 0x0e614800, shape: "4H", from: "4S", operands: 1}                 // int32 to int16 in the lower half
	SQXTN2 = Op{name: "SQXTN2", code: 0x4e614800, shape: "8H", from: "4S", operands: 1, adds: true}    // in the upper half
	SQXTB  = Op{name: "SQXTN", code: 0x0e214800, shape: "8B", from: "8H", operands: 1}                 // int16 to int8 in the lower half
	SHLL   = Op{name: "SHLL", code: 0x2e613800, shape: "4S", from: "4H", operands: 1, suffix: ", #16"} // 16 bits to the upper half of 32
	SHRN   = Op{name: "SHRN", code: 0x0f108400, shape: "4H", from: "4S", operands: 1, suffix: ", #16"} // back
	SQXTB2 = Op{name: "SQXTN2", code: 0x4e214800, shape: "16B", from: "8H", operands: 1, adds: true}
)

// Orders of lanes.
var (
	ZIP1  = Op{name: "VZIP1", shape: "S4", operands: 2} // the lower halves' lanes in turn
	ZIP2  = Op{name: "VZIP2", shape: "S4", operands: 2} // the upper halves'
	UZP1  = Op{name: "VUZP1", shape: "S4", operands: 2} // the even lanes
	UZP2  = Op{name: "VUZP2", shape: "S4", operands: 2} // the odd ones
	ZIP1H = Op{name: "VZIP1", shape: "H8", operands: 2} // lanes of 16 bits of the lower halves in turn
	UZP2H = Op{name: "VUZP2", shape: "H8", operands: 2} // the odd lanes of 16 bits
)

// Products of narrow numbers, added to four sums of 32 bits. The matrix ones see two rows in each operand: the sums are those of
// row 0 and 0, 0 and 1, 1 and 0, 1 and 1.
var (
	USMMLA = Op{name: "USMMLA", code: 0x4e80ac00, shape: "4S", from: "16B", operands: 2, adds: true} // uint8 with int8
	BFMMLA = Op{name: "BFMMLA", code: 0x6e40ec00, shape: "4S", from: "8H", operands: 2, adds: true}  // bfloat16
)

// An Element is an instruction that multiplies with one lane, of 32 bits, of its last operand, and adds to the result.
type Element struct {
	name        string
	code        uint32
	from, group string
}

var (
	FMLAE = Element{name: "FMLA", code: 0x4f801000, from: "4S", group: "S"}
	SDOTE = Element{name: "SDOT", code: 0x4f80e000, from: "16B", group: "4B"} // four products of int8
)

// Known reports whether it is one.
func (o Op) Known() bool { return o.name != "" }

// Of is the operation's result.
func (o Op) Of(operands ...V) V {
	if o.adds {
		panic(o.name + " needs a register to add to")
	}
	v := NewV()
	o.Into(v, operands...)
	return v
}

// Into has the result in dst.
func (o Op) Into(dst V, operands ...V) {
	if len(operands) != o.operands {
		panic(fmt.Sprintf("%s has %d operands, found %d", o.name, o.operands, len(operands)))
	}
	var reads []Reg
	for _, v := range operands {
		reads = append(reads, v.Reg)
	}
	if o.adds {
		reads = append(reads, dst.Reg)
	}
	n, m := operands[0], operands[len(operands)-1]
	emit(instruction{reads: reads, writes: regs(dst.Reg), text: func(of func(Reg) int) string {
		d, n, m := of(dst.Reg), of(n.Reg), of(m.Reg)
		if o.code == 0 { // the last operand comes first
			return fmt.Sprintf("%s V%d.%s, V%d.%s, V%d.%s", o.name, m, o.shape, n, o.shape, d, o.shape)
		}
		from := o.from
		if from == "" {
			from = o.shape
		}
		if o.operands == 1 {
			return word(o.code|uint32(n<<5|d), "%s V%d.%s, V%d.%s%s", o.name, d, o.shape, n, from, o.suffix)
		}
		return word(o.code|uint32(m<<16|n<<5|d), "%s V%d.%s, V%d.%s, V%d.%s", o.name, d, o.shape, n, from, m, from)
	}})
}

// Into adds products of x with that lane of y to sum.
func (e Element) Into(sum, x, y V, lane int) {
	emit(instruction{reads: regs(sum.Reg, x.Reg, y.Reg), writes: regs(sum.Reg), text: func(of func(Reg) int) string {
		d, n, m := of(sum.Reg), of(x.Reg), of(y.Reg)
		return word(e.code|uint32(lane&1<<21|m<<16|lane>>1<<11|n<<5|d), "%s V%d.4S, V%d.%s, V%d.%s[%d]", e.name, d, n, e.from, m, e.group, lane)
	}})
}

func word(code uint32, format string, operands ...any) string {
	return fmt.Sprintf("WORD $%#08x // ", code) + fmt.Sprintf(format, operands...)
}

// ShiftLeft, ShiftRight and ShiftRightSigned shift lanes of 32 bits.
func ShiftLeft(x V, n int) V  { return shift("VSHL", x, n) }
func ShiftRight(x V, n int) V { return shift("VUSHR", x, n) }

func shift(op string, x V, n int) V {
	v := NewV()
	line(regs(v.Reg), regs(x.Reg), op+" $%d, V%d.S4, V%d.S4", n, x, v)
	return v
}

func ShiftRightSigned(x V, n int) V {
	v := NewV()
	emit(instruction{reads: regs(x.Reg), writes: regs(v.Reg), text: func(of func(Reg) int) string {
		d, s := of(v.Reg), of(x.Reg)
		return word(uint32(0x4f000400|(64-n)<<16|s<<5|d), "SSHR V%d.4S, V%d.4S, #%d", d, s, n)
	}})
	return v
}

// InsertUpper has the upper halves of x's lanes of 32 bits in the lower halves of v's.
func InsertUpper(v, x V) {
	line(regs(v.Reg), regs(x.Reg, v.Reg), "VSRI $16, V%d.S4, V%d.S4", x, v)
}

// Zero is zeros.
func Zero() V {
	v := NewV()
	ZeroTo(v)
	return v
}

// Zeros are n registers of zeros.
func Zeros(n int) []V {
	v := NewVs(n)
	for i := range v {
		ZeroTo(v[i])
	}
	return v
}

func ZeroTo(v V) { line(regs(v.Reg), nil, "VMOVI $0, V%d.B16", v) }

// Copy is x in a register of its own.
func Copy(x V) V {
	v := NewV()
	CopyTo(v, x)
	return v
}

func CopyTo(v, x V) { line(regs(v.Reg), regs(x.Reg), "VMOV V%d.B16, V%d.B16", x, v) }

// Everywhere is the first lane of x in every lane.
func Everywhere(x V) V { return LaneOf(x, 0) }

// LaneOf is one lane of x in every lane.
func LaneOf(x V, lane int) V {
	v := NewV()
	line(regs(v.Reg), regs(x.Reg), "VDUP V%d.S[%d], V%d.S4", x, lane, v)
	return v
}

// SetLane puts the first lane of x into one of v.
func SetLane(v V, lane int, x V) {
	line(regs(v.Reg), regs(x.Reg, v.Reg), "VMOV V%d.S[0], V%d.S[%d]", x, v, lane)
}

// SetHalf puts the first half of x into the second of v.
func SetHalf(v, x V) { line(regs(v.Reg), regs(x.Reg, v.Reg), "VMOV V%d.D[0], V%d.D[1]", x, v) }

// Scalar is an operation of first lanes: FADDS, FDIVS and so on, as Go's assembler has them, y op x.
func Scalar(op string, y, x V) V {
	v := NewV()
	line(regs(v.Reg), regs(x.Reg, y.Reg), op+" F%d, F%d, F%d", x, y, v)
	return v
}

// SquareRoot is that of the first lane.
func SquareRoot(x V) V {
	v := NewV()
	line(regs(v.Reg), regs(x.Reg), "FSQRTS F%d, F%d", x, v)
	return v
}

// Float is a whole number in the first lane.
func Float(r R) V {
	v := NewV()
	line(regs(v.Reg), regs(r.Reg), "SCVTFS R%d, F%d", r, v)
	return v
}

// Vectors in memory, some bytes from a register, of 16, 8 or 4 bytes. What is loaded has zeros beyond.
func Load(p R, at int) V         { return loadOf("FMOVQ", p, at) }
func LoadHalf(p R, at int) V     { return loadOf("FMOVD", p, at) }
func LoadOne(p R, at int) V      { return loadOf("FMOVS", p, at) }
func Store(v V, p R, at int)     { storeOf("FMOVQ", v, p, at) }
func StoreHalf(v V, p R, at int) { storeOf("FMOVD", v, p, at) }
func StoreOne(v V, p R, at int)  { storeOf("FMOVS", v, p, at) }

func loadOf(op string, p R, at int) V {
	v := NewV()
	line(regs(v.Reg), regs(p.Reg), op+" %d(R%d), F%d", at, p, v)
	return v
}

func storeOf(op string, v V, p R, at int) {
	line(nil, regs(p.Reg, v.Reg), op+" F%d, %d(R%d)", v, at, p)
}

// LoadEverywhere is the value at p in every lane.
func LoadEverywhere(p R) V {
	v := NewV()
	line(regs(v.Reg), regs(p.Reg), "VLD1R (R%d), [V%d.S4]", p, v)
	return v
}

// Arg is a parameter of 64 bits, ArgBool one of type bool.
func Arg(name string) R     { return argOf("MOVD", name) }
func ArgBool(name string) R { return argOf("MOVBU", name) }

func argOf(op, name string) R {
	r := NewR()
	line(regs(r.Reg), nil, op+" %s, R%d", current.at(name), r)
	return r
}

// ArgFloat is a float32 parameter in the first lane, ArgEverywhere in every lane.
func ArgFloat(name string) V {
	v := NewV()
	line(regs(v.Reg), nil, "FMOVS %s, F%d", current.at(name), v)
	return v
}

func ArgEverywhere(name string) V { return Everywhere(ArgFloat(name)) }

// Result returns the first lane.
func Result(v V) { line(nil, regs(v.Reg), "FMOVS F%d, %s", v, current.at("ret")) }

// ResultBits returns the first lane as an integer.
func ResultBits(v V) {
	r := NewR()
	line(regs(r.Reg), regs(v.Reg), "FMOVS F%d, R%d", v, r)
	line(nil, regs(r.Reg), "MOVW R%d, %s", r, current.at("ret"))
}

// Clone is a copy of a register.
func Clone(p R) R {
	r := NewR()
	MoveTo(r, p)
	return r
}

// Clones are copies of registers.
func Clones(p ...R) []R {
	c := make([]R, len(p))
	for i := range p {
		c[i] = Clone(p[i])
	}
	return c
}

func MoveTo(r, from R) { line(regs(r.Reg), regs(from.Reg), "MOVD R%d, R%d", from, r) }

// Advance is r += n, AdvanceBy is r += n of a register, AdvanceWords four times that.
func Advance(r R, n int) { line(regs(r.Reg), regs(r.Reg), "ADD $%d, R%d, R%d", n, r, r) }
func AdvanceBy(r, n R)   { line(regs(r.Reg), regs(r.Reg, n.Reg), "ADD R%d, R%d, R%d", n, r, r) }
func AdvanceWords(r, n R) {
	line(regs(r.Reg), regs(r.Reg, n.Reg), "ADD R%d<<2, R%d, R%d", n, r, r)
}

// Less is r - n.
func Less(r R, n int) R {
	d := NewR()
	line(regs(d.Reg), regs(r.Reg), "SUB $%d, R%d, R%d", n, r, d)
	return d
}

// InBytes makes a number of values one of bytes.
func InBytes(r R) { line(regs(r.Reg), regs(r.Reg), "LSL $2, R%d, R%d", r, r) }

// SubFlags is r -= n, for the jumps that follow.
func SubFlags(r R, n int) { line(regs(r.Reg), regs(r.Reg), "SUBS $%d, R%d, R%d", n, r, r) }

// Decrease is r -= 1.
func Decrease(r R) { line(regs(r.Reg), regs(r.Reg), "SUB $1, R%d, R%d", r, r) }

// Pointer is what lies at p, some bytes on.
func Pointer(p R, at int) R {
	r := NewR()
	line(regs(r.Reg), regs(p.Reg), "MOVD %d(R%d), R%d", at, p, r)
	return r
}

// Prefetch asks for the cache line at p, some bytes on, to come into that level of cache.
func Prefetch(p R, at, level int) {
	line(nil, regs(p.Reg), "PRFM %d(R%d), PLDL%dKEEP", at, p, level)
}
