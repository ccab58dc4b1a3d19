//go:build mpi

package mpi

/*
#include <mpi.h>
#include <stdlib.h>

// What mpi.h has as macros, cgo cannot see.
enum { up = 1, down = 2 };

static int start(int *rank, int *size) {
	int level, failed;
	if ((failed = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level)) != MPI_SUCCESS)
		return failed;
	if ((failed = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN)) != MPI_SUCCESS)
		return failed;
	if ((failed = MPI_Comm_rank(MPI_COMM_WORLD, rank)) != MPI_SUCCESS)
		return failed;
	return MPI_Comm_size(MPI_COMM_WORLD, size);
}

static int library(char *text) {
	int length;
	return MPI_Get_library_version(text, &length);
}

static int sum(float *values, int count) {
	return MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
}

static int exchange(void *send, void *receive, int piece) {
	return MPI_Alltoall(send, piece, MPI_BYTE, receive, piece, MPI_BYTE, MPI_COMM_WORLD);
}

static int begin_send(void *bytes, int count, int to, int tag, MPI_Request *request) {
	return MPI_Isend(bytes, count, MPI_BYTE, to, tag, MPI_COMM_WORLD, request);
}

static int sent(MPI_Request *request, int *done) {
	return MPI_Test(request, done, MPI_STATUS_IGNORE);
}

// incoming looks for a message, from any rank if from is below 0, and says from whom it is and how long.
static int incoming(int from, int tag, int *there, int *source, int *count) {
	MPI_Status status;
	int failed = MPI_Iprobe(from < 0 ? MPI_ANY_SOURCE : from, tag, MPI_COMM_WORLD, there, &status);
	if (failed != MPI_SUCCESS || !*there)
		return failed;
	*source = status.MPI_SOURCE;
	return MPI_Get_count(&status, MPI_BYTE, count);
}

static int receive(void *bytes, int count, int from, int tag) {
	return MPI_Recv(bytes, count, MPI_BYTE, from, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// maxCount is how many numbers, and bytes, one call takes: MPI counts in an int.
const maxCount = 1<<31 - 1

// The functions here are those of MPI. They run on the thread that has initialised it ([thread]).

// failure is the error of a call.
func failure(call string, code C.int) error {
	if code == C.MPI_SUCCESS {
		return nil
	}
	var text [C.MPI_MAX_ERROR_STRING]C.char
	var length C.int
	if C.MPI_Error_string(code, &text[0], &length) != C.MPI_SUCCESS {
		return fmt.Errorf("%s: error %d", call, code)
	}
	return fmt.Errorf("%s: %s", call, C.GoStringN(&text[0], length))
}

func start() (rank, size int, err error) {
	var r, n C.int
	err = failure("MPI_Init_thread", C.start(&r, &n))
	return int(r), int(n), err
}

func finalize() error { return failure("MPI_Finalize", C.MPI_Finalize()) }

// library says which MPI this is.
func library() string {
	var text [C.MPI_MAX_LIBRARY_VERSION_STRING]C.char
	if C.library(&text[0]) != C.MPI_SUCCESS {
		return "MPI"
	}
	return C.GoString(&text[0])
}

// sum puts the sums over all ranks in the place of values.
func sum(values []float32) error {
	for len(values) > 0 {
		n := min(len(values), maxCount)
		if err := failure("MPI_Allreduce", C.sum((*C.float)(&values[0]), C.int(n))); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// exchange gives rank r the r-th piece of send.
func exchange(send, receive []byte, piece int) error {
	return failure("MPI_Alltoall", C.exchange(unsafe.Pointer(&send[0]), unsafe.Pointer(&receive[0]), C.int(piece)))
}

// Which way a message goes: to rank 0, or from it.
const (
	up   = C.up
	down = C.down
)

// A sending is a message under way. It, and what it sends, must stay where they are until it has arrived.
type sending struct{ request *C.MPI_Request }

// send begins to send a message; free gives the sending's memory back.
func send(bytes []byte, to, tag int) (sending, error) {
	s := sending{(*C.MPI_Request)(C.malloc(C.size_t(unsafe.Sizeof(*new(C.MPI_Request)))))}
	return s, failure("MPI_Isend", C.begin_send(unsafe.Pointer(unsafe.SliceData(bytes)), C.int(len(bytes)), C.int(to), C.int(tag), s.request))
}

func (s sending) free() { C.free(unsafe.Pointer(s.request)) }

// arrived says whether it has.
func (s sending) arrived() (bool, error) {
	var done C.int
	err := failure("MPI_Test", C.sent(s.request, &done))
	return done != 0, err
}

// incoming takes a message that has come, from any rank if from is below 0.
func incoming(from, tag int) (bytes []byte, source int, ok bool, err error) {
	var there, rank, count C.int
	if err := failure("MPI_Iprobe", C.incoming(C.int(from), C.int(tag), &there, &rank, &count)); err != nil || there == 0 {
		return nil, 0, false, err
	}
	bytes = make([]byte, count)
	err = failure("MPI_Recv", C.receive(unsafe.Pointer(unsafe.SliceData(bytes)), count, rank, C.int(tag)))
	return bytes, int(rank), err == nil, err
}
