// Command gomlxtests runs GoMLX's own tests on the engine simd and on the portable backend, and compares:
//
//	go run ./backend/simd/internal/gomlxtests
//
// It lists what passes on the portable backend and not on ours, and fails if that is anything but what [known] names,
// with reasons. The tests are those of the version of GoMLX in go.mod. They need nothing but the module proxy; what they would
// download for other engines they are told that they have.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
)

// portable is the engine that ours is compared with: the one behind it.
const portable = "go:ops_sequential"

// known are tests that pass on the portable backend and, for a reason, not on ours. The engine's name in them is ENGINE.
var known = map[string]string{
	"core/graph TestDonate/ENGINE/DonateSharedInput": "skipped: HasSharedBuffers is false, see docs/decisions.md",
}

func main() {
	log.SetFlags(0)
	short := flag.Bool("short", true, "leave out what GoMLX's tests leave out with -short (a minute of training)")
	verbose := flag.Bool("v", false, "print the output of tests that fail on simd alone")
	flag.Parse()
	dir, err := os.MkdirTemp("", "gomlxtests")
	if err != nil {
		log.Fatal(err)
	}
	ok, err := compare(dir, *short, *verbose)
	if err := cmp.Or(err, os.RemoveAll(dir)); err != nil {
		log.Fatal(err)
	}
	if !ok {
		os.Exit(1)
	}
}

// compare runs everything in a copy of GoMLX below dir and prints how the engines differ.
func compare(dir string, short, verbose bool) (ok bool, err error) {
	programs, err := build(dir)
	if err != nil {
		return false, err
	}
	results := map[string]outcomes{}
	for _, engine := range []string{portable, "simd"} {
		results[engine] = outcomes{}
		for _, p := range programs {
			if err := p.run(engine, short, results[engine]); err != nil {
				return false, err
			}
		}
		count := map[string]int{}
		for _, o := range results[engine] {
			count[o.verdict]++
		}
		fmt.Printf("%s: %d tests of %d packages pass, %d are skipped, %d fail\n", engine, count["PASS"], len(programs), count["SKIP"], count["FAIL"])
		if count["PASS"] == 0 {
			return false, fmt.Errorf("no test passes on %s", engine)
		}
	}
	met, err := distributed(programs)
	if err != nil {
		return false, err
	}
	return report(results[portable], results["simd"], verbose) && met, nil
}

// distributed runs GoMLX's tests of computations for several devices, which are skipped on one, on two virtual ones. Those that divide themselves (AutoSharding) are
// XLA's alone.
func distributed(programs []program) (ok bool, err error) {
	const engine, tests = "simd:devices=2", "TestCollective|TestPortable"
	results := outcomes{}
	for _, p := range programs {
		if p.name == "core/graph" {
			if err := p.run(engine, true, results, "-test.run=^("+tests+")$"); err != nil {
				return false, err
			}
		}
	}
	passed := 0
	for _, test := range slices.Sorted(maps.Keys(results)) {
		if o := results[test]; o.verdict == "PASS" {
			passed++
		} else {
			fmt.Printf("%s on %s: %s\n%s\n", o.verdict, engine, test, o.output)
		}
	}
	fmt.Printf("%s: %d of %d tests for several devices pass\n", engine, passed, len(results))
	return passed == len(results) && passed > 2, nil
}

// report prints the tests that pass on the portable backend only; it is false if they are not those that are known.
func report(want, got outcomes, verbose bool) (ok bool) {
	ok = true
	missing := maps.Clone(known)
	for _, test := range slices.Sorted(maps.Keys(want)) {
		have := got[test]
		if want[test].verdict != "PASS" || have.verdict == "PASS" {
			continue
		}
		reason := known[test]
		delete(missing, test)
		fmt.Printf("%s on simd: %s (%s)\n", cmp.Or(have.verdict, "MISSING"), test, cmp.Or(reason, "not known"))
		if reason != "" {
			continue
		}
		ok = false
		if verbose {
			fmt.Println(strings.TrimSpace(have.output))
		}
	}
	for _, test := range slices.Sorted(maps.Keys(got)) {
		if got[test].verdict == "PASS" && want[test].verdict == "FAIL" {
			fmt.Printf("only on simd: %s\n", test)
		}
	}
	for test := range missing {
		fmt.Printf("%s passes now, or is gone: take it out of the list\n", test)
		ok = false
	}
	return ok
}
