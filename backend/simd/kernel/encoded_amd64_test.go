//go:build !purego

package kernel

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"

	"github.com/go-lxmert/lxmert/backend/simd/kernel/internal/forms"
)

// TestEncodedRun runs every form of the instructions that are written as bytes, with every register and the distances at which their
// encoding changes.
func TestEncodedRun(t *testing.T) {
	if !cpu.X86.HasAVX512BF16 {
		t.Skip("this CPU lacks AVX512_BF16")
	}
	dot := func(x, y, z []float32) {
		for i := range z {
			z[i] += bf16At(wordsOf(x)[i], 1) * bf16At(wordsOf(y)[i], 1)
			z[i] += bf16At(wordsOf(x)[i], 0) * bf16At(wordsOf(y)[i], 0)
		}
	}
	half := func(dst []uint32, x []float32) {
		for i := range dst {
			dst[i] = bf16Pair(x[2*i], x[2*i+1])
		}
	}
	for _, c := range []struct {
		name string
		run  func(z, y, x *float32)
		n    int
		want func(x, y, z []float32)
	}{
		{"DotRegisters", forms.DotRegisters, 32, dot},
		{"DotMemory", forms.DotMemory, 135, dot},
		{"DotOne", forms.DotOne, 135, func(x, y, z []float32) { dot(slices.Repeat(x[:1], 16), y, z) }},
		{"ConvertRegisters", forms.ConvertRegisters, 32, func(x, y, z []float32) { half(wordsOf(z)[:8], x); half(wordsOf(z)[8:], y) }},
		{"ConvertMemory", forms.ConvertMemory, 135, func(x, y, z []float32) { half(wordsOf(z)[:8], x); half(wordsOf(z)[8:], y) }},
		{"HalfRegisters", forms.HalfRegisters, 32, func(x, _, z []float32) { half(wordsOf(z)[:8], x); clear(z[8:]) }},
		{"HalfMemory", forms.HalfMemory, 135, func(x, _, z []float32) { half(wordsOf(z)[:8], x); clear(z[8:]) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(45, 46))
			x, y := randomFenced(r, 16, 1), randomFenced(r, 16, 2)
			if strings.HasPrefix(c.name, "Dot") {
				for _, v := range [][]float32{x.x, y.x} {
					for i := range v {
						wordsOf(v)[i] = bf16Pair(2*r.Float32()-1, 2*r.Float32()-1)
					}
				}
			}
			z := randomFenced(r, 16*c.n, 3)
			before := slices.Clone(z.x)
			c.run(&z.x[0], &y.x[0], &x.x[0])
			z.checkOutside(t)
			for i := range c.n {
				want := before[16*i:][:16]
				c.want(x.x, y.x, want)
				if got := z.x[16*i:][:16]; !slices.Equal(wordsOf(got), wordsOf(want)) {
					t.Errorf("form %d: got %v, want %v", i, got, want)
				}
			}
		})
	}
}

func TestEncodedIntsRun(t *testing.T) {
	if !cpu.X86.HasAVXVNNI {
		t.Skip("this CPU lacks AVX_VNNI")
	}
	r := rand.New(rand.NewPCG(47, 48))
	x, y, z := randomFenced(r, 8, 1), randomFenced(r, 8, 2), randomFenced(r, 16*8, 3)
	for _, v := range [][]float32{x.x, y.x, z.x} {
		for i := range v {
			wordsOf(v)[i] = r.Uint32()
		}
	}
	wordsOf(x.x)[0], wordsOf(y.x)[0] = 0x7f7f7f7f, 0xffffffff // what would saturate
	before := slices.Clone(intsOf(z.x))
	forms.IntRegisters(&z.x[0], &y.x[0], &x.x[0])
	z.checkOutside(t)
	for i, got := range intsOf(z.x) {
		want, signed, unsigned := before[i], wordsOf(x.x)[i%8], wordsOf(y.x)[i%8]
		for j := 0; j < 32; j += 8 {
			want += int32(int8(signed>>j)) * int32(uint8(unsigned>>j))
		}
		if got != want {
			t.Errorf("form %d, number %d: got %d, want %d", i/8, i%8, got, want)
		}
	}
}

// TestEncodedDisassembled compares what objdump makes of the bytes in the generated files with what these say that they are.
func TestEncodedDisassembled(t *testing.T) {
	objdump, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("objdump is not there; it comes with GNU binutils")
	}
	for _, file := range []string{"bf16_amd64.s", "int8_amd64.s", "conv_amd64.s", "internal/forms/forms_amd64.s"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var code []byte
		var want []string
		for line := range strings.Lines(string(source)) {
			line, ok := strings.CutPrefix(line, "\tBYTE ")
			if !ok {
				continue
			}
			bytes, says, _ := strings.Cut(strings.TrimSpace(line), " // ")
			for _, b := range strings.Split(bytes, "; BYTE ") {
				n, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimPrefix(b, "BYTE "), "$"), 0, 8)
				if err != nil {
					t.Fatal(err)
				}
				code = append(code, byte(n))
			}
			want = append(want, attSyntax(says))
		}
		raw := filepath.Join(t.TempDir(), "code")
		if err := os.WriteFile(raw, code, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(objdump, "-D", "-b", "binary", "-m", "i386:x86-64", "--no-show-raw-insn", raw).Output()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, found := range regexp.MustCompile(`(?m)^ *[0-9a-f]+:\t(.*)$`).FindAllStringSubmatch(string(out), -1) {
			got = append(got, strings.Join(strings.Fields(found[1]), " "))
		}
		if len(want) < 10 || len(got) != len(want) {
			t.Fatalf("%s: %d instructions are %d", file, len(want), len(got))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: instruction %d is %q, want %q", file, i, got[i], want[i])
			}
		}
	}
}

// attSyntax is an instruction of Go's assembler as objdump prints it.
func attSyntax(s string) string {
	name, operands, _ := strings.Cut(s, " ")
	name, one := strings.CutSuffix(name, ".BCST")
	name = strings.Replace(name, "VEXVP", "{vex} VP", 1)
	var out []string
	for _, o := range strings.Split(operands, ", ") {
		if at, base, ok := strings.Cut(strings.TrimSuffix(o, ")"), "("); ok {
			base = strings.ToLower(base)
			if base[0] != 'r' {
				base = "r" + base
			}
			n, _ := strconv.Atoi(at)
			switch {
			case at == "" && (base == "rbp" || base == "r13"):
				at = "0x0" // these have no form without a distance
			case n < 0:
				at = fmt.Sprintf("-%#x", -n)
			case at != "":
				at = fmt.Sprintf("%#x", n)
			}
			o = at + "(%" + base + ")"
			if one {
				o += "{1to16}"
			}
		} else {
			o = map[byte]string{'Z': "%zmm", 'Y': "%ymm"}[o[0]] + o[1:]
		}
		out = append(out, o)
	}
	return strings.ToLower(name) + " " + strings.Join(out, ",")
}
