package main

import (
	"testing"

	"github.com/go-lxmert/lxmert/train"
)

// TestTrainingDevices: a run on two devices, which goes on on one; the record says in how many parts batches go through the model.
func TestTrainingDevices(t *testing.T) {
	s := newSchool(t)
	s.refused(exitUsage, "--devices: found 2, the engine simd has 1", s.vqa("x", "--devices", "2")...)
	two := []string{"--backend", "simd:devices=2"}
	begin := s.vqa("run", append(two, "--devices", "2", "--max-steps", "3")...)
	s.ok(begin...)
	record, err := train.ReadRecord(s.run("run"))
	if err != nil || record.Settings["accumulate"] != "2" || record.Settings["devices"] != "" {
		t.Errorf("found settings %v, %v, want 2 parts", record.Settings, err)
	}
	s.ok(s.vqa("alone", append(two, "--accumulate", "2", "--max-steps", "3")...)...)
	got, _ := s.log("run")
	want, _ := s.log("alone")
	if len(got) != 3 || len(want) != 3 {
		t.Fatalf("%d and %d steps, want 3", len(got), len(want))
	}
	for i := range got {
		if d := got[i].Loss - want[i].Loss; !(d < 1e-4 && d > -1e-4) {
			t.Errorf("step %d: a loss of %v, want %v as on one device", i+1, got[i].Loss, want[i].Loss)
		}
	}
	s.ok(s.vqa("run", append(two, "--resume", "--max-steps", "3")...)...)
}
