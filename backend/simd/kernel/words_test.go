package kernel

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestWords lets GNU's assembler for arm64, where it is, say what code the instructions have that the generated files have as words, for Go's
// assembler does not know them. That they are run is for the tests of what they compute.
func TestWords(t *testing.T) {
	const binutils = "aarch64-linux-gnu-"
	for _, tool := range []string{"as", "objdump"} {
		if _, err := exec.LookPath(binutils + tool); err != nil {
			t.Skipf("%s%s is not there; it comes with Debian's binutils-aarch64-linux-gnu", binutils, tool)
		}
	}
	files, err := filepath.Glob("*_arm64.s")
	if err != nil || len(files) == 0 {
		t.Fatalf("found no generated files: %v", err)
	}
	var lines []string // a code and an instruction
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`WORD \$0x([0-9a-f]{8}) // (.*)`).FindAllStringSubmatch(string(source), -1) {
			lines = append(lines, found[1]+" "+found[2])
		}
		if strings.Count(string(source), "WORD") != strings.Count(string(source), "WORD $0x") {
			t.Errorf("%s: words that have another form", file)
		}
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	source := ".arch armv8.6-a\n"
	for _, line := range lines {
		_, instruction, _ := strings.Cut(line, " ")
		source += instruction + "\n"
	}
	object := filepath.Join(t.TempDir(), "code.o")
	assemble := exec.Command(binutils+"as", "-o", object, "-")
	assemble.Stdin = strings.NewReader(source)
	if out, err := assemble.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(binutils+"objdump", "-d", object).Output()
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`(?m)^ *[0-9a-f]+:\t([0-9a-f]{8}) `).FindAllStringSubmatch(string(out), -1)
	if len(lines) < 100 || len(codes) != len(lines) {
		t.Fatalf("%d instructions are %d", len(lines), len(codes))
	}
	for i, line := range lines {
		if code, instruction, _ := strings.Cut(line, " "); code != codes[i][1] {
			t.Errorf("%s is %s, found %s", instruction, codes[i][1], code)
		}
	}
}
