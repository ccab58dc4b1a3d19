// Times OpenBLAS: cc -O2 sgemm.c -o sgemm -lopenblas; ./sgemm THREADS
//
// Each line on standard input is "M K N TRANSPOSED RUNS": so many products [M, K] x [K, N], each with the next of
// many weight matrices (700 MB of them), stored [K, N] or, transposed, [N, K]. The answer is a line of milliseconds.
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WEIGHTS (700L << 18) // floats

void openblas_set_num_threads(int);
char *openblas_get_corename(void);
char *openblas_get_config(void);

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e3 * t.tv_sec + 1e-6 * t.tv_nsec;
}

static float *filled(long n) {
	float *x = malloc(n * sizeof(float));
	unsigned seed = n;
	for (long i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		x[i] = (int)seed / 2147483648.0f;
	}
	return x;
}

int main(int argc, char **argv) {
	openblas_set_num_threads(argc > 1 ? atoi(argv[1]) : 1);
	printf("%s, kernels %s\n", openblas_get_config(), openblas_get_corename());
	fflush(stdout);
	float *weights = filled(WEIGHTS);
	long m, k, n, next = 0;
	int transposed, runs;
	while (scanf("%ld %ld %ld %d %d", &m, &k, &n, &transposed, &runs) == 5) {
		float *a = filled(m * k), *c = filled(m * n);
		for (int i = 0; i < runs; i++) {
			next = (next + 1) % (WEIGHTS / (k * n));
			double start = now();
			cblas_sgemm(CblasRowMajor, CblasNoTrans, transposed ? CblasTrans : CblasNoTrans, m, n, k, 1, a, k,
			            weights + next * k * n, transposed ? k : n, 0, c, n);
			printf("%.6f ", now() - start);
		}
		printf("\n");
		fflush(stdout);
		free(a);
		free(c);
	}
}
