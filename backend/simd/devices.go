package simd

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
)

// Virtual devices (the option devices) are the same processor under several numbers. They are there for what runs on several devices, GPUs of
// another engine: its programs are tried on them, and give the same results. Nothing is faster.

// mostDevices bounds the option.
const mostDevices = 64

// NumDevices implements compute.Backend: 1, or as many as the option devices says.
func (b *Backend) NumDevices() int { return b.devices }

// DeviceDescription implements compute.Backend.
func (b *Backend) DeviceDescription(device compute.DeviceNum) string {
	if b.devices == 1 {
		return b.Description()
	}
	return fmt.Sprintf("%s: virtual device %d of %d", b.Description(), device, b.devices)
}

// has checks the number of a device.
func (b *Backend) has(device compute.DeviceNum) error {
	if device < 0 || int(device) >= b.devices {
		return fmt.Errorf("simd: found device %d, want 0..%d (option devices)", device, b.devices-1)
	}
	return nil
}

// DistributedSPMD implements compute.Builder: the computation runs on so many devices at once, each with values of its own, and meets in AllReduce.
func (b *builder) DistributedSPMD(devices int) error {
	if devices < 1 || devices > b.backend.devices {
		return fmt.Errorf("simd: found a computation for %d devices, want 1..%d (option devices)", devices, b.backend.devices)
	}
	b.replicas = devices
	return nil
}

// DistributedAutoSharding implements compute.Builder; there is none.
func (b *builder) DistributedAutoSharding(...compute.Mesh) error {
	return fmt.Errorf("simd: computations that divide themselves among devices: %w", compute.ErrNotImplemented)
}

// DeviceAssignment implements compute.Builder.
func (b *builder) DeviceAssignment(devices ...compute.DeviceNum) error {
	if len(devices) != max(1, b.replicas) {
		return fmt.Errorf("simd: found %d devices, want %d", len(devices), max(1, b.replicas))
	}
	for i, device := range devices {
		if err := b.backend.has(device); err != nil {
			return err
		}
		if slices.Contains(devices[:i], device) {
			return fmt.Errorf("simd: device %d is assigned twice", device)
		}
	}
	b.assigned = slices.Clone(devices)
	return nil
}

// place is where an execution runs: on a device, as one of several replicas if there is a meeting.
type place struct {
	device  compute.DeviceNum
	replica int
	meeting *meeting
}

// placed is what executes on a single device.
type placed interface {
	compute.Executable
	executeAt(at place, inputs []compute.Buffer, donate []bool) ([]compute.Buffer, error)
}

// distribute gives an executable its devices, if the computation has some of its own.
func (b *builder) distribute(e placed) compute.Executable {
	if b.replicas == 0 && b.assigned == nil {
		return e
	}
	devices := b.assigned
	for i := len(devices); i < b.replicas; i++ {
		devices = append(devices, compute.DeviceNum(i))
	}
	return &replicated{placed: e, devices: devices}
}

// replicated is an executable that runs on given devices.
type replicated struct {
	placed
	devices []compute.DeviceNum
}

// Execute implements compute.Executable: the inputs are the first device's, then the second's, and so on; so are the results.
func (e *replicated) Execute(inputs []compute.Buffer, donate []bool, _ compute.DeviceNum) ([]compute.Buffer, error) {
	names, _ := e.Inputs()
	each, n := len(names), len(e.devices)
	if len(inputs) != n*each || len(donate) != 0 && len(donate) != len(inputs) {
		return nil, fmt.Errorf("simd: found %d inputs, %d said to be donated or not, want %d for each of %d devices", len(inputs), len(donate), each, n)
	}
	m := newMeeting(n)
	results := make([][]compute.Buffer, n)
	done := make(chan struct{})
	for i, device := range e.devices {
		go func() {
			defer func() {
				if failed := recover(); failed != nil {
					m.fail(fmt.Errorf("simd: device %d: %v", device, failed))
				}
				done <- struct{}{}
			}()
			var given []bool
			if len(donate) > 0 {
				given = donate[i*each:][:each]
			}
			out, err := e.executeAt(place{device, i, m}, inputs[i*each:][:each], given)
			if err != nil {
				m.fail(fmt.Errorf("device %d: %w", device, err))
			}
			results[i] = out
		}()
	}
	for range n {
		<-done
	}
	if m.err != nil {
		return nil, m.err
	}
	return slices.Concat(results...), nil
}

// holds checks that a buffer is on the device of an execution.
func (p place) holds(buffer *Buffer) error {
	if buffer.device != p.device {
		return fmt.Errorf("it is on device %d, want %d", buffer.device, p.device)
	}
	return nil
}
