/* SPDX-License-Identifier: MIT */
#include "azure/cloud.h"

#include "base/span.h"

static const struct cloud public_cloud = {
	"login.microsoftonline.com", {"https://appservice.azure.com", "https://management.azure.com/"},
	"https://management.azure.com/", "https://vault.azure.net", {NULL}};

/* Kudu there refuses Resource Manager's own audience; that of the older management service it takes. */
static const struct cloud others[] = {
	{"login.microsoftonline.us", {"https://appservice.azure.us", "https://management.core.usgovcloudapi.net/"},
	 "https://management.usgovcloudapi.net/", "https://vault.usgovcloudapi.net",
	 {".azurewebsites.us", ".appserviceenvironment.us", ".usgovcloudapi.net", ".microsoftonline.us", NULL}},
	{"login.chinacloudapi.cn", {"https://appservice.azure.cn", "https://management.core.chinacloudapi.cn/"},
	 "https://management.chinacloudapi.cn/", "https://vault.azure.cn",
	 {".chinacloudsites.cn", ".appserviceenvironment.cn", ".chinacloudapi.cn", ".azure.cn", ".partner.microsoftonline.cn", NULL}},
};

const struct cloud *
cloud_of(const char *host)
{
	struct span name = span_of(host);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		for (const char *const *suffix = others[i].suffixes; *suffix != NULL; suffix++) {
			size_t count = span_of(*suffix).count;
			if (name.count > count && span_is_nocase(span_from(name, name.count - count), *suffix))
				return &others[i];
		}
	return &public_cloud;
}
