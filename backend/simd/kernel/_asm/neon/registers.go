package neon

import (
	"fmt"
	"slices"
)

// A Reg is a register that is yet to be chosen: of vectors, 128 bits, or of whole numbers, 64 bits.
type Reg struct {
	vector bool
	number int
}

// V is a register of vectors, R one of whole numbers. Results are new registers, unless a name says "to" or "into".
type (
	V struct{ Reg }
	R struct{ Reg }
)

// What the CPU has. Of the general registers 16 to 18 are the linker's and the system's, 27 is the assembler's, 28 to 31 are Go's.
var (
	vectorRegisters  = span(0, 32)
	generalRegisters = append(span(0, 16), span(19, 27)...)
)

func span(from, to int) []int {
	var n []int
	for ; from < to; from++ {
		n = append(n, from)
	}
	return n
}

// An instruction is a line of the function: a label, or what reads and writes registers and may jump.
type instruction struct {
	text          func(of func(Reg) int) string
	label         string
	reads, writes []Reg
	jump          string // to a label
	ends          bool   // what follows is not reached from here
}

// choose finds a register of the CPU for each of a function's: registers whose values are needed at once differ.
func choose(name string, code []instruction) map[Reg]int {
	alive := needed(code)
	if len(code) > 0 {
		for r := range alive[0] {
			if !slices.Contains(code[0].writes, r) {
				panic(fmt.Sprintf("%s: %v is read before it is written", name, r))
			}
		}
	}
	apart := map[Reg]map[Reg]bool{} // what must differ
	var order []Reg
	for i, in := range code {
		for _, w := range in.writes {
			if apart[w] == nil {
				apart[w] = map[Reg]bool{}
				order = append(order, w)
			}
			for other := range after(code, alive, i) {
				if other != w && other.vector == w.vector {
					if apart[other] == nil {
						panic(fmt.Sprintf("%s: %v is read before it is written", name, other))
					}
					apart[w][other], apart[other][w] = true, true
				}
			}
			for _, other := range in.writes {
				if other != w && other.vector == w.vector && apart[other] != nil {
					apart[w][other], apart[other][w] = true, true
				}
			}
		}
	}
	chosen := map[Reg]int{}
	for _, r := range order {
		free := generalRegisters
		if r.vector {
			free = vectorRegisters
		}
		at := slices.IndexFunc(free, func(n int) bool {
			for other := range apart[r] {
				if m, ok := chosen[other]; ok && m == n {
					return false
				}
			}
			return true
		})
		if at < 0 {
			panic(fmt.Sprintf("%s: more than %d registers are needed at once", name, len(free)))
		}
		chosen[r] = free[at]
	}
	return chosen
}

// needed is, for each instruction, the registers whose values it or what follows it reads.
func needed(code []instruction) []map[Reg]bool {
	before := make([]map[Reg]bool, len(code))
	for i := range before {
		before[i] = map[Reg]bool{}
	}
	for changed := true; changed; {
		changed = false
		for i := len(code) - 1; i >= 0; i-- {
			add := func(r Reg) {
				if !before[i][r] {
					before[i][r] = true
					changed = true
				}
			}
			for r := range after(code, before, i) {
				if !slices.Contains(code[i].writes, r) {
					add(r)
				}
			}
			for _, r := range code[i].reads {
				add(r)
			}
		}
	}
	return before
}

// after is the registers that are needed when instruction i is done.
func after(code []instruction, before []map[Reg]bool, i int) map[Reg]bool {
	alive := map[Reg]bool{}
	add := func(next int) {
		for r := range before[next] {
			alive[r] = true
		}
	}
	if !code[i].ends && i+1 < len(code) {
		add(i + 1)
	}
	if to := code[i].jump; to != "" {
		target := slices.IndexFunc(code, func(in instruction) bool { return in.label == to })
		if target < 0 {
			panic("no label " + to)
		}
		add(target)
	}
	return alive
}
