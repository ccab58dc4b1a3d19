package tensorboard

import (
	"encoding/binary"
	"math"
	"time"
)

// The fields of tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto that are written.
const (
	eventWallTime    = 1 // double, seconds
	eventStep        = 2 // int64
	eventFileVersion = 3 // string
	eventSummary     = 5 // Summary
	eventSessionLog  = 7 // SessionLog

	sessionLogStatus = 1 // enum
	statusStart      = 1

	summaryValue     = 1 // repeated Value
	valueTag         = 1 // string
	valueSimpleValue = 2 // float
)

// versionEvent is what every event file begins with.
func versionEvent(at time.Time) []byte {
	return appendBytes(appendTime(nil, at), eventFileVersion, "brain.Event:2")
}

// startEvent says that a run begins with a step.
func startEvent(at time.Time, step int64) []byte {
	event := appendVarint(appendTime(nil, at), eventStep, step)
	return appendBytes(event, eventSessionLog, appendVarint(nil, sessionLogStatus, statusStart))
}

// scalarsEvent has values by name, at one step.
func scalarsEvent(at time.Time, step int64, names []string, values map[string]float64) []byte {
	var summary []byte
	for _, name := range names {
		value := appendBytes(nil, valueTag, name)
		value = appendFloat(value, valueSimpleValue, float32(values[name]))
		summary = appendBytes(summary, summaryValue, value)
	}
	return appendBytes(appendVarint(appendTime(nil, at), eventStep, step), eventSummary, summary)
}

// A field begins with its number and how what follows is laid out.
const (
	varint  = 0
	fixed64 = 1
	sized   = 2
	fixed32 = 5
)

func appendKey(b []byte, field, layout uint64) []byte {
	return binary.AppendUvarint(b, field<<3|layout)
}

func appendVarint(b []byte, field uint64, v int64) []byte {
	return binary.AppendUvarint(appendKey(b, field, varint), uint64(v))
}

func appendFloat(b []byte, field uint64, v float32) []byte {
	return binary.LittleEndian.AppendUint32(appendKey(b, field, fixed32), math.Float32bits(v))
}

func appendTime(b []byte, at time.Time) []byte {
	seconds := float64(at.UnixMicro()) / 1e6
	return binary.LittleEndian.AppendUint64(appendKey(b, eventWallTime, fixed64), math.Float64bits(seconds))
}

func appendBytes[T string | []byte](b []byte, field uint64, v T) []byte {
	return append(binary.AppendUvarint(appendKey(b, field, sized), uint64(len(v))), v...)
}
