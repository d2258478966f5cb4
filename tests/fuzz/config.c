/* SPDX-License-Identifier: MIT */
/* Any bytes as a --config: besides not breaking, what is accepted must hold its promises, and each mistake that is kept has
 * its place. */
#include "job/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void
must(bool so)
{
	if (!so)
		abort();
}

static void
check_accepted(const struct config *config)
{
	size_t found;
	must(config->site_count > 0 && config->site_count <= SITES_MAX && config->login_count <= CONFIG_LOGINS);
	must(config->destination_count <= DESTINATIONS_MAX);
	for (size_t i = 0; i < config->site_count; i++) {
		const struct config_site *site = &config->sites[i];
		must(site->scm != NULL || site->arm != NULL);
		must(site->login == NULL || config_find_login(config, site->login, &found));
		for (size_t n = 0; n < site->to.count; n++)
			must(config_find_destination(config, site->to.at[n], &found) && found < config->destination_count);
	}
	for (size_t i = 0; i < config->login_count; i++)
		must(config->logins[i].name != NULL);
}

int
LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct config config;
	struct fault fault;
	unsigned char *copy = malloc(size + 1);
	char *words = malloc(size > 0 ? size : 1);
	bool good;
	fault_clear(&fault);
	must(copy != NULL && words != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	good = config_read_text(&config, "c", (struct span){copy, size}, words, &fault);
	must(good == (config.mistake_count == 0) && good == (fault.kind == FAULT_NONE));
	if (good)
		check_accepted(&config);
	for (size_t i = 0; i < config.mistake_count && i < CONFIG_MISTAKES; i++)
		must(strncmp(config.mistakes[i].text, "c:", 2) == 0 && strlen(config.mistakes[i].text) < FAULT_TEXT_MAX);
	free(copy);
	free(words);
	return 0;
}
